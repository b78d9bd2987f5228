"""The pages, a file each: what one shows, as a struct that its template draws and its JSON twin is."""
