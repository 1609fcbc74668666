//! Which papers: consents and withdrawals over HTTP.
