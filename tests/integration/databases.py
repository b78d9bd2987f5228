"""How a test's own database is reached, as the product's environment says it."""

from shared.settings import Database


def settings_of(database: Database) -> dict[str, str]:
    """The variables that name the database."""
    return {
        "POSTGRES_DB": database.postgres_db,
        "POSTGRES_USER": database.postgres_user,
        "POSTGRES_HOST": database.postgres_host or "",
        "POSTGRES_PORT": str(database.postgres_port),
        "POSTGRES_PASSWORD": database.postgres_password or "",
        "POSTGRES_SSLMODE": "disable",
    }
