//! What the role of the service may do. It need not own the tables: then it cannot change them, nor
//! take the protection from the audit.

use sqlx::{AssertSqlSafe, PgPool};

/// Our tables, but for sqlx's list of migrations.
const TABLES: [&str; 25] = [
    "admin_session",
    "audit",
    "command",
    "destination",
    "installation",
    "link_offer",
    "link_session",
    "membership",
    "named_admin",
    "oauth_state",
    "person",
    "readiness",
    "readiness_page",
    "rules",
    "shared_account",
    "slack_request",
    "stream",
    "stream_fact",
    "user_group",
    "vendor_request",
    "withdrawal",
    "zoom_account",
    "zoom_event",
    "zoom_grant",
    "zoom_link",
];

/// Everything that the service needs and its role has not, such as `insert on command`.
pub async fn missing(db: &PgPool) -> sqlx::Result<Vec<String>> {
    let mut missing: Vec<String> = sqlx::query_scalar(
        "select format('%s on %s', privilege, relation) from (
            select oid, oid::regclass::text as relation, unnest(array['select', 'insert', 'update', 'delete']) as privilege
            from pg_class
            where relkind = 'r'
                and (relnamespace = to_regnamespace('graphile_worker') or oid in (select to_regclass(t) from unnest($1::text[]) t))
            union all
            select to_regclass('readiness_page'), 'readiness_page', 'truncate'
        ) needed
        where not has_table_privilege(oid, privilege)
        union all
        select format('execute on function %s', oid::regprocedure) from pg_proc
        where (pronamespace = to_regnamespace('graphile_worker') or oid = to_regprocedure('person_key(text, text, text)'))
            and not has_function_privilege(oid, 'execute')
        order by 1",
    )
    .bind(TABLES)
    .fetch_all(db)
    .await?;
    // The queue's tables show their rows to their owner, and to whom a policy shows them.
    let hidden = sqlx::query_scalar(
        "select format('a policy on %s', oid::regclass) from pg_class
        where relkind = 'r' and relnamespace = to_regnamespace('graphile_worker') and row_security_active(oid)
            and not exists (
                select from pg_policy, unnest(polroles) role
                where polrelid = pg_class.oid and (role = 0 or pg_has_role(role, 'member'))
            )
        order by 1",
    )
    .fetch_all(db)
    .await?;
    missing.extend::<Vec<String>>(hidden);
    Ok(missing)
}

/// Whether [`grant`] failed because there is no such role.
pub fn is_no_role(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some("42704"))
}

/// Gives a role everything that the service needs, and no right to change a table. Harmless where it
/// has it.
pub async fn grant(db: &PgPool, role: &str) -> sqlx::Result<()> {
    let tables = TABLES.join(", ");
    let statements = AssertSqlSafe(format!(
        "do $do$
        declare
            grantee text := quote_ident(current_setting('livestream.grantee'));
            hidden regclass;
        begin
            execute format('grant select on _sqlx_migrations to %s', grantee);
            execute format('grant select, insert, update, delete on {tables} to %s', grantee);
            execute format('grant truncate on readiness_page to %s', grantee);
            execute format('grant usage on schema %I, graphile_worker to %s', current_schema(), grantee);
            execute format('grant execute on function person_key(text, text, text) to %s', grantee);
            execute format('grant execute on all functions in schema graphile_worker to %s', grantee);
            execute format('grant select, insert, update, delete on all tables in schema graphile_worker to %s', grantee);
            for hidden in
                select oid from pg_class
                where relnamespace = 'graphile_worker'::regnamespace and relrowsecurity and not exists (
                    select from pg_policy where polrelid = pg_class.oid and polname = current_setting('livestream.grantee')
                )
            loop
                execute format('create policy %s on %s to %s using (true) with check (true)', grantee, hidden, grantee);
            end loop;
        end $do$"
    ));
    let mut transaction = db.begin().await?;
    sqlx::query("select set_config('livestream.grantee', $1, true)")
        .bind(role)
        .execute(&mut *transaction)
        .await?;
    sqlx::raw_sql(statements).execute(&mut *transaction).await?;
    transaction.commit().await
}
