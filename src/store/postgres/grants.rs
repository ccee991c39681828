//! Who may do what: the owner makes the tables, a runner adds to the journal and can take nothing out of it, a reader reads.

/// The statements by which the owner of this schema gives these roles what they need.
pub fn grants(schema: &str, runner: &str, reader: Option<&str>) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (schema, runner) = (quoted(schema), quoted(runner));
    let mut lines = vec![
        format!("GRANT USAGE ON SCHEMA {schema} TO {runner};"),
        format!("GRANT SELECT, INSERT ON {schema}.events TO {runner};"),
        format!("GRANT SELECT, INSERT, UPDATE ON {schema}.rotations, {schema}.targets TO {runner};"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.sealed, {schema}.outbox TO {runner};"),
        format!("GRANT SELECT, INSERT, UPDATE ON {schema}.told, {schema}.notifiers TO {runner};"),
        format!("GRANT SELECT, UPDATE (fence, holder, token, expires_at) ON {schema}.lease TO {runner};"),
        format!("GRANT SELECT, UPDATE (sealer) ON {schema}.about TO {runner};"),
    ];
    if let Some(reader) = reader.map(quoted) {
        lines.extend([
            format!("GRANT USAGE ON SCHEMA {schema} TO {reader};"),
            format!(
                "GRANT SELECT ON {schema}.about, {schema}.events, {schema}.rotations, {schema}.targets, {schema}.lease TO {reader};"
            ),
            format!("GRANT SELECT ON {schema}.told, {schema}.outbox, {schema}.notifiers TO {reader};"),
            // What is sealed is of no use to who only reads.
            format!("GRANT SELECT (rotation, name) ON {schema}.sealed TO {reader};"),
        ]);
    }
    lines.join("\n")
}
