package git

// GitHubApp is an installation of a GitHub App.
type GitHubApp struct{ ID, Installation, PrivateKey, APIURL string }
