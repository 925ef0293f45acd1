//! A user and password for HTTP authentication.

/// Who we say we are to a proxy. It has no `Debug`, so that no log can show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password, possibly empty.
    pub password: String,
}
