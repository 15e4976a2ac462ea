"""The telemetry tables: their names, columns and Kusto types.

The columns are a subset of Azure's own, with Azure's names and types, so a query that runs here
runs there. The store creates its tables from this, the engine translates against it, and the query
tests hand it to Microsoft's analyser.
"""

_COMMON = {
    "TimeGenerated": "datetime",
    "AppRoleName": "string",
    "AppRoleInstance": "string",
    "OperationId": "string",
    "ItemCount": "int",
    "Properties": "dynamic",
}
_CALL = {
    "Name": "string",
    "Success": "bool",
    "ResultCode": "string",
    "DurationMs": "real",
}

TABLES: dict[str, dict[str, str]] = {
    "AppRequests": {**_COMMON, **_CALL},
    "AppDependencies": {**_COMMON, **_CALL, "DependencyType": "string", "Target": "string"},
    "AppEvents": {**_COMMON, "Name": "string", "Measurements": "dynamic"},
    "AppTraces": {**_COMMON, "Message": "string", "SeverityLevel": "int"},
    "AppExceptions": {
        **_COMMON,
        "ExceptionType": "string",
        "OuterMessage": "string",
        "ProblemId": "string",
        "SeverityLevel": "int",
    },
    "AzureActivity": {
        "TimeGenerated": "datetime",
        "OperationNameValue": "string",
        "ActivityStatusValue": "string",
        "Caller": "string",
        "ResourceId": "string",
        "CorrelationId": "string",
    },
    "FunctionAppLogs": {
        "TimeGenerated": "datetime",
        "FunctionName": "string",
        "Message": "string",
        "_ResourceId": "string",
    },
}

_SQL_OF_KUSTO = {
    "datetime": "TIMESTAMP",
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "dynamic": "JSON",
}
_KUSTO_OF_SQL = {
    "BIGINT": "long",
    "HUGEINT": "long",
    "UBIGINT": "long",
    "INTEGER": "int",
    "SMALLINT": "int",
    "TINYINT": "int",
    "DOUBLE": "real",
    "FLOAT": "real",
    "BOOLEAN": "bool",
    "VARCHAR": "string",
    "TIMESTAMP": "datetime",
    "TIMESTAMP_NS": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "INTERVAL": "timespan",
    "JSON": "dynamic",
    "UUID": "guid",
}


def column_names() -> dict[str, list[str]]:
    """Return table -> column names, as the translator wants them."""
    return {table: list(columns) for table, columns in TABLES.items()}


def sql_columns(table: str) -> dict[str, str]:
    """Return column -> DuckDB type of one table."""
    return {name: _SQL_OF_KUSTO[kusto] for name, kusto in TABLES[table].items()}


def kusto_type(sql_type: str) -> str:
    """Return the Kusto type that the service would name for a DuckDB result column."""
    if sql_type.startswith("DECIMAL"):
        return "decimal"
    if sql_type.endswith("[]") or sql_type.startswith(("STRUCT", "MAP")):
        return "dynamic"
    return _KUSTO_OF_SQL.get(sql_type, "string")


def analyser_schema() -> dict[str, str]:
    """Return table -> "(column:type, ...)", the form that Microsoft's analyser reads."""
    return {
        table: "(" + ", ".join(f"{name}:{kusto}" for name, kusto in columns.items()) + ")"
        for table, columns in TABLES.items()
    }
