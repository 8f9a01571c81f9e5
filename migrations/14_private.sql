-- Whether the channel must not see what was typed, because it may hold a passcode: then only the
-- asker is told what became of it, but for the message that shows a stream.
alter table command add column is_private boolean not null default false;
