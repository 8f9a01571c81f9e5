-- When a request came last that Slack or Zoom signed, that checked our address, or whose signature was
-- not theirs.
create table vendor_request (
    vendor text not null
        constraint vendor_request_vendor_check check (vendor in ('slack', 'zoom')),
    kind text not null
        constraint vendor_request_kind_check check (kind in ('signed', 'address_check', 'stale', 'mismatched')),
    received_at timestamptz not null,
    constraint vendor_request_pkey primary key (vendor, kind)
);
