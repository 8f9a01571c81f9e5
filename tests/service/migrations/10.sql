insert into readiness_page (filler) values ('');
