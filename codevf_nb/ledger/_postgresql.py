"""A ledger on PostgreSQL that a team shares, also behind a transaction pooler.

No setting of the database, the role or the session matters: each transaction sets its own isolation level, timeouts and
schema, and requires that its commit is on disk.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, create_engine, text
from sqlalchemy.exc import DBAPIError

from codevf_nb.ledger import migrations, tables
from codevf_nb.ledger._database import Database
from codevf_nb.ledger._digests import Digests
from codevf_nb.ledger._errors import LedgerError
from codevf_nb.ledger._url import ServerAddress
from codevf_nb.sdk.forks import reset_after_fork

CONNECT_SECONDS = 10
_DEFAULT_SCHEMA = "public"
_LOCK = int.from_bytes(b"codevf")
_NO_RIGHT, _READ_ONLY, _TOO_LONG = "42501", "25006", "54000"

# With READ COMMITTED, each statement sees all earlier commits. With any higher level, the first statement, which waits
# for the lock, would take the snapshot for all later statements: the state before the wait.
_WRITE = f"""
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    {{settings}}
    SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
    SELECT pg_advisory_xact_lock({_LOCK})
"""
_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; {settings}"

_SERVER = text("""
    SELECT current_user AS role, current_setting('server_encoding') AS encoding,
        current_setting('transaction_read_only') = 'on' AS read_only
""")
# The system catalogue lists every schema to every role; search_path can differ from role to role.
_LEDGERS = text("""
    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relname IN ('meta', 'questions', 'book', 'budgets')
    GROUP BY n.nspname HAVING count(*) = 4 ORDER BY n.nspname
""")
_SCHEMA = text("""
    SELECT has_schema_privilege(oid, 'USAGE') AS uses, has_schema_privilege(oid, 'CREATE') AS creates
    FROM pg_namespace WHERE nspname = :schema
""")
_MAKES_SCHEMAS = text("SELECT has_database_privilege(current_database(), 'CREATE')")
_LACKING = text("""
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND CASE
        WHEN c.relkind IN ('r', 'p') AND c.relname IN :tables THEN NOT (
            has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
            AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
        WHEN c.relkind = 'S' AND c.relname IN :sequences THEN NOT has_sequence_privilege(c.oid, 'USAGE')
        ELSE false
    END
    ORDER BY c.relname
""").bindparams(bindparam("tables", expanding=True), bindparam("sequences", expanding=True))
_OWNER = text("SELECT tableowner FROM pg_tables WHERE schemaname = :schema AND tablename = 'meta'")


class PostgreSQL(Database):
    """A database on a PostgreSQL server."""

    def __init__(self, address: ServerAddress, busy_seconds: float, abandoned_seconds: float) -> None:
        self._schema = address.schema
        self._role = self._owner = ""
        self._waits = (
            f"SET LOCAL lock_timeout = '{busy_seconds * 1000:.0f}ms'; "
            f"SET LOCAL idle_in_transaction_session_timeout = '{abandoned_seconds * 1000:.0f}ms';"
        )
        given = {} if "connect_timeout" in address.url.query else {"connect_timeout": CONNECT_SECONDS}
        try:
            # One idle connection per kernel, since a team's kernels share the server. A stale connection is detected
            # before use. No prepared statements: a pooler may run the next transaction on another connection.
            self.engine = create_engine(
                address.url,
                pool_size=1,
                max_overflow=4,
                pool_timeout=busy_seconds,
                pool_pre_ping=True,
                connect_args={**given, "prepare_threshold": None, "client_encoding": "utf8"},
                hide_parameters=True,
            )
        except ModuleNotFoundError:
            raise LedgerError("a ledger on PostgreSQL needs psycopg: pip install 'codevf_nb[postgres]'") from None
        reset_after_fork(self._leave_pool)

    def _leave_pool(self) -> None:
        self.engine.dispose(close=False)

    def begin(self, connection: Connection, *, writes: bool) -> None:
        """Set the options of this transaction and take the lock, in one message to the server."""
        settings = self._waits + ("" if self._schema is None else f"SET LOCAL search_path = {_quoted(self._schema)};")
        statements = (_WRITE if writes else _READ).format(settings=settings)
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})

    def set_up(self, connection: Connection, digests: Digests) -> None:
        """Choose the schema, check the server and the role's privileges, and migrate the tables.

        Raises:
            LedgerError: The server or the role is not suitable; the message says what to change.
        """
        server = connection.execute(_SERVER).one()
        self._role = server.role
        if server.encoding != "UTF8":
            raise LedgerError(
                f"the database is encoded in {server.encoding}, which can't hold every answer: "
                "make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
            )
        if server.read_only:
            raise LedgerError(f"it can only be read. {_PRIMARY}")
        ledgers = list(connection.scalars(_LEDGERS))
        self._schema = self._choose(connection, ledgers)
        connection.exec_driver_sql(
            f"SET LOCAL search_path = {_quoted(self._schema)}", execution_options={"no_parameters": True}
        )
        if self._schema in ledgers:
            self._check_rights(connection)
        try:
            migrations.upgrade(connection, digests)
        except DBAPIError as error:
            if self._schema in ledgers and _state(error) == _NO_RIGHT:
                why = "its tables are of an earlier version, and only their owner may change them: open it once as"
                raise LedgerError(f"{why} {self._owner} with this version of codevf_nb") from None
            raise

    def advice(self, error: BaseException) -> str:
        """Return advice on missing privileges, a read-only server or a name that is too long."""
        return {
            _NO_RIGHT: f". {self._grants()}",
            _READ_ONLY: f". {_PRIMARY}",
            _TOO_LONG: ". A name or an id is longer than 2,600 bytes, and no longer one fits",
        }.get(_state(error), "")

    def _choose(self, connection: Connection, ledgers: list[str]) -> str:
        """Return the schema of the ledger, the same for every user of this URL; create it if necessary."""
        if self._schema is None and len(ledgers) > 1:
            which = ", ".join(ledgers)
            raise LedgerError(
                f"the database has a separate ledger in each of the schemas {which}: "
                f"name the one that all use at the end of CODEVF_LEDGER: …?schema={ledgers[0]}"
            )
        schema = self._schema or (ledgers[0] if ledgers else _DEFAULT_SCHEMA)
        if schema in ledgers:
            return schema
        rights = connection.execute(_SCHEMA, {"schema": schema}).one_or_none()
        if rights is None and connection.scalar(_MAKES_SCHEMAS):
            connection.execute(text(f"CREATE SCHEMA {_quoted(schema)}"))
        elif rights is None or not (rights.uses and rights.creates):
            create = "" if rights else f"CREATE SCHEMA {_quoted(schema)}; "
            grant = f"{create}GRANT USAGE, CREATE ON SCHEMA {_quoted(schema)} TO {_quoted(self._role)}"
            raise LedgerError(
                f"the role {self._role} may not make tables in the schema {schema}: {grant}, "
                "or name another schema at the end of CODEVF_LEDGER: …?schema=NAME"
            )
        return schema

    def _check_rights(self, connection: Connection) -> None:
        """Refuse a role without all privileges: it could send a question and then not record the answer."""
        which = {"schema": self._schema}
        self._owner = connection.scalar(_OWNER, which)
        usable = connection.execute(_SCHEMA, which).one().uses
        sequences = [f"{table}_{key}_seq" for table, key in (("questions", "id"), ("book", "seq"))]
        names = {"tables": list(tables.metadata.tables), "sequences": sequences}
        lacking = connection.scalars(_LACKING, {**which, **names}).all() if usable else [f"schema {self._schema}"]
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            raise LedgerError(f"permission denied for {lacking[0]}{more}. {self._grants()}")

    def _grants(self) -> str:
        schema, role = _quoted(self._schema or _DEFAULT_SCHEMA), _quoted(self._role)
        return (
            f"The role {self._role} needs these rights: GRANT USAGE ON SCHEMA {schema} TO {role}; "
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}; "
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
        )


_PRIMARY = "Name the server that can be written to in CODEVF_LEDGER; this one is a replica, or was set to read only"


def _state(error: BaseException) -> str:
    """Return the SQLSTATE of an error, which does not depend on the server's language."""
    return getattr(getattr(error, "orig", None) or error, "sqlstate", None) or ""


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
