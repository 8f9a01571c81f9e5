//! The audit log.

use livestream_bot::demo::World;

use super::world::connect;

/// The kinds of all entries, in order.
pub(crate) async fn audit_kinds(world: &World) -> Vec<String> {
    let kinds = sqlx::query_scalar("select kind from audit order by audit_id");
    kinds
        .fetch_all(&mut connect(world).await)
        .await
        .expect("rows")
}
