-- The zone of an admin's clock, by its name in the tz database, as Slack said last.
alter table admin_session add column zone text;
