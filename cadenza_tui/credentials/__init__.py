"""Being let in: where access tokens come from, the login, and where its refresh token is kept."""
