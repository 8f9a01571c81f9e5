update zoom_grant set refresh_refusal = 'Invalid client_id or client_secret (invalid_client)';
