//! What is sealed, and with which keys.

use sqlx::PgExecutor;

use crate::ids::ZoomUserId;

/// How many rows of a table are looked through for the keys that sealed them: all of them would take
/// minutes where there are millions.
const LOOKED_THROUGH: i64 = 20_000;
/// How many values are taken of each table and key: one may be damaged.
const OF_EACH: i64 = 3;

/// Of what a sealed value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// An access token.
    Grant(ZoomUserId),
    /// An access token that is to be withdrawn; of nobody, once its user is forgotten.
    Withdrawal(Option<ZoomUserId>),
    /// The bot token of a workspace or organisation.
    Installation(String),
    /// The stream key of a destination.
    Destination(i64),
}

/// A sealed value.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub owner: Owner,
    pub value: Vec<u8>,
}

/// A few values of each key that sealed some, of each kind. Those of permissions that have ended do
/// not count: nobody opens them.
pub async fn samples(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Sealed>> {
    let rows = sqlx::query!(
        r#"
        select kind as "kind!", owner, value as "value!"
        from (
            select kind, owner, value, row_number() over (
                partition by kind, substr(value, 1, 1 + get_byte(value, 0))
            ) as number
            from (
                (
                    select 'grant' as kind, zoom_user_id as owner, access_token as value
                    from zoom_grant where dead_at is null limit $1
                )
                union all
                (
                    select 'withdrawal', zoom_user_id, access_token
                    from withdrawal limit $1
                )
                union all
                (
                    select 'installation', tenant_id, bot_token
                    from installation where bot_token is not null limit $1
                )
                union all
                (select 'destination', destination_id::text, stream_key from destination limit $1)
            ) as sealed
            where length(value) > 0
        ) as numbered
        where number <= $2
        "#,
        LOOKED_THROUGH,
        OF_EACH,
    )
    .fetch_all(db)
    .await?;
    let samples = rows.into_iter().filter_map(|row| {
        let owner = match row.kind.as_str() {
            "grant" => Owner::Grant(ZoomUserId::new(row.owner?)),
            "withdrawal" => Owner::Withdrawal(row.owner.map(ZoomUserId::new)),
            "installation" => Owner::Installation(row.owner?),
            _ => Owner::Destination(row.owner?.parse().ok()?),
        };
        Some(Sealed {
            owner,
            value: row.value,
        })
    });
    Ok(samples.collect())
}
