insert into vendor_request (vendor, kind, received_at) values ('slack', 'signed', now()), ('zoom', 'mismatched', now());
