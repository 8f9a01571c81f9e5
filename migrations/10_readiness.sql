-- Each replica writes here every two seconds, to learn whether Postgres takes writes.
create table readiness (
    is_only_row boolean default true
        constraint readiness_pkey primary key
        constraint readiness_is_only_row_check check (is_only_row),
    written_at timestamptz not null
);
insert into readiness (written_at) values (now());

-- Each of these rows needs a page of its own, so that a full disk shows at once. Nobody reads
-- them, so they need no WAL; the table is emptied now and then.
create unlogged table readiness_page (
    filler text not null
);
alter table readiness_page alter column filler set storage plain;
