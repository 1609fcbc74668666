//! Who asks: accounts, factors, sessions, read tokens.
