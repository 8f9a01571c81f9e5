//! The command line.

use std::io::{Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use livestream_bot::account::erase::{self, Erased};
use livestream_bot::account::reseal::{self, Resealed};
use livestream_bot::account::{import, keys};
use livestream_bot::config::{self, Config, ConfigError, DatabaseConfig, DatabaseUrl, LogConfig};
use livestream_bot::crypto::vault::Vault;
use livestream_bot::db::schema::Standing;
#[cfg(feature = "demo")]
use livestream_bot::demo;
use livestream_bot::doctor::{self, Verdict};
use livestream_bot::ids::{SlackUserId, TeamId, is_slack_id};
use livestream_bot::postgres::{self, Durability, Server};
use livestream_bot::telemetry::{REVISION, VERSION, log, metrics};
use livestream_bot::{db, http, manifest, serve, telemetry, web};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use url::Url;

/// Starts and stops Zoom livestreams from Slack.
#[derive(Parser)]
#[command(version, long_version = LONG_VERSION.as_str())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What `--version` prints after the name; `-V` leaves the commit out.
static LONG_VERSION: LazyLock<String> = LazyLock::new(|| format!("{VERSION} (commit {REVISION})"));

/// The status of a program whose settings cannot be used, as in `sysexits.h`: to start it again changes
/// nothing.
const EX_CONFIG: u8 = 78;

#[derive(Subcommand)]
enum Command {
    /// Serves Slack's commands.
    #[command(after_help = config::listing())]
    Serve,
    /// Plays the whole product on this machine, with stand-ins for Slack and Zoom.
    #[cfg(feature = "demo")]
    Demo(demo::Options),
    /// Looks for what is wrong, with what mends it: settings, database, keys, queue, links, the public
    /// address, Slack and Zoom.
    ///
    /// Changes nothing, prints no secret, and may run beside a service. Ends with status 1 if there is
    /// a problem.
    #[command(after_help = config::listing())]
    Doctor {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Brings the database up to date, and ends.
    Migrate {
        /// Gives this role what `serve` needs, for a service that may not change tables
        #[arg(long, value_name = "ROLE")]
        grant_to: Option<String>,
    },
    /// Prints the Slack app's manifest, filled in with the address Slack reaches us at and
    /// the command's name (`SLASH_COMMAND`).
    Manifest {
        /// Such as <https://livestream.example.com>
        #[arg(long)]
        url: Url,
    },
    /// Stores links from JSON lines on standard input.
    #[command(
        after_help = "Each line is a JSON object with team_id, user_id, zoom_user_id, zoom_account_id, \
        email, access_token, refresh_token, expires_at (RFC 3339) and scope (separated by spaces), \
        and with no other field. Blank lines are skipped.\n\n\
        All lines are stored, or none: if any cannot be imported, each of them is listed with its \
        number and its fields, and without their values."
    )]
    ImportLinks {
        /// Checks every line and counts what would change, and stores no link
        #[arg(long)]
        dry_run: bool,
    },
    /// Deletes what is stored of a person, at their request.
    #[command(
        after_help = "Their link ends, and the permission behind it is withdrawn at Zoom unless others use it. The audit \
        keeps its entries and no longer names them. A person of an organisation is erased in all of its \
        workspaces.\n\n\
        What is under way is left and told, and the command ends with a status other than 0: run it again. It \
        may be run again at any time."
    )]
    ErasePerson {
        /// The workspace's ID, such as T0123ABCD
        #[arg(long, value_parser = team_id)]
        team: TeamId,
        /// The person's member ID, such as U0123ABCD
        #[arg(long, value_parser = user_id)]
        user: SlackUserId,
        /// Counts what would be deleted, and deletes nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Seals all tokens with the first of `TOKEN_KEYS` again, while others serve.
    ///
    /// Afterwards none of them needs an older key.
    RotateKeys,
    /// Keeps a PostgreSQL of our own running while anybody uses it.
    #[command(hide = true)]
    Postgres {
        data_dir: PathBuf,
        #[arg(long)]
        throwaway: bool,
    },
    /// Writes the manual pages and the completions of the shells into this folder, for packages.
    #[command(hide = true)]
    Manual { folder: PathBuf },
}

fn main() -> ExitCode {
    match begin(Arguments::parse().command) {
        Ok(status) => status,
        Err(error) => {
            log::fatal(&error, config::is_log_json());
            if error.is::<ConfigError>() {
                ExitCode::from(EX_CONFIG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn begin(command: Command) -> anyhow::Result<ExitCode> {
    // Blocking, and without a runtime's threads: it idles in the background.
    if let Command::Postgres {
        data_dir,
        throwaway,
    } = command
    {
        let durability = if throwaway {
            Durability::Throwaway
        } else {
            Durability::Durable
        };
        postgres::supervise(&data_dir, durability)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Manual { folder } = command {
        write_manual(&folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if let Command::Doctor { json } = command {
        return runtime.block_on(doctor(json));
    }
    runtime.block_on(run(command))?;
    Ok(ExitCode::SUCCESS)
}

async fn doctor(is_json: bool) -> anyhow::Result<ExitCode> {
    let settings = config::usable_from_env();
    let report = Box::pin(doctor::examine(&settings, &std::env::current_exe()?)).await;
    if is_json {
        serde_json::to_writer_pretty(stdout(), &report)?;
        writeln!(stdout())?;
    } else {
        writeln!(stdout(), "{report}")?;
    }
    Ok(match report.count(Verdict::Problem) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

async fn run(command: Command) -> anyhow::Result<()> {
    let log_config = LogConfig::from_env();
    match command {
        Command::Serve => {
            let service = config::both(Config::from_env(), DatabaseConfig::from_env());
            let (log_config, (config, database)) = config::both(log_config, service)
                .map_err(|error| error.with(config::misspelt()))?;
            let traces = telemetry::init(&log_config, config.traces.as_ref())?;
            tracing::info!(
                version = VERSION,
                revision = REVISION,
                "livestream-bot starts"
            );
            serve::announce(&config);
            serve::raise_connection_limit();
            if config.metrics_addr.is_some() {
                metrics::install()?;
            }
            let http = http::client(config.zoom_timeout)
                .map_err(|error| ConfigError::of("SSL_CERT_FILE", error.to_string()))?;
            let (database, _server) = connect_options(database, Cluster::MayBeNew).await?;
            let address = config.listen_addr;
            let listener = web::listen("LISTEN_ADDR", address);
            let shutdown = serve::shutdown_signal()?;
            let served = serve::serve(&config, &http, database, listener, shutdown).await;
            traces.end().await;
            served
        }
        #[cfg(feature = "demo")]
        Command::Demo(options) => {
            let (log_config, data_dir) = config::both(log_config, config::data_dir_from_env())?;
            demo::run(options, &data_dir, &log_config).await
        }
        Command::Migrate { grant_to } => {
            let (log_config, database) = config::both(log_config, DatabaseConfig::from_env())?;
            log::init(&log_config)?;
            let (database, _server) = connect_options(database, Cluster::MustExist).await?;
            let pool = db::pool(database);
            serve::migrate(&pool).await?;
            tracing::info!("database is up to date");
            if let Some(role) = grant_to {
                let granted = db::privileges::grant(&pool, &role).await;
                if let Err(error) = &granted
                    && db::privileges::is_no_role(error)
                {
                    bail!(
                        "there is no role {role}; make it with `create role {} login`, and run this again",
                        db::quoted(&role)
                    );
                }
                granted.with_context(|| format!("the privileges cannot be granted to {role}"))?;
                tracing::info!(role, "the role may serve");
            }
            Ok(())
        }
        Command::Manifest { url } => {
            let manifest = manifest::filled_in(&url, &config::slash_command_from_env()?)?;
            Ok(stdout().write_all(manifest.as_bytes())?)
        }
        Command::ImportLinks { dry_run } => {
            let stored = config::both(config::token_keys_from_env(), DatabaseConfig::from_env());
            let (log_config, (token_keys, database)) = config::both(log_config, stored)?;
            log::init(&log_config)?;
            import_links(&token_keys, database, dry_run).await
        }
        Command::ErasePerson {
            team,
            user,
            dry_run,
        } => {
            let (log_config, database) = config::both(log_config, DatabaseConfig::from_env())?;
            log::init(&log_config)?;
            erase_person(database, team, user, dry_run).await
        }
        Command::RotateKeys => {
            let stored = config::both(config::token_keys_from_env(), DatabaseConfig::from_env());
            let (log_config, (token_keys, database)) = config::both(log_config, stored)?;
            log::init(&log_config)?;
            rotate_keys(&token_keys, database).await
        }
        Command::Doctor { .. } | Command::Postgres { .. } | Command::Manual { .. } => {
            unreachable!("begin() runs it")
        }
    }
}

fn write_manual(folder: &Path) -> anyhow::Result<()> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut program, "livestream-bot", folder)
            .with_context(|| folder.display().to_string())?;
    }
    clap_mangen::generate_to(program, folder).with_context(|| folder.display().to_string())
}

async fn erase_person(
    database: DatabaseConfig,
    team: TeamId,
    user: SlackUserId,
    dry_run: bool,
) -> anyhow::Result<()> {
    let (database, _server) = connect_options(database, Cluster::MustExist).await?;
    let pool = db::pool(database);
    if db::schema::standing(&pool).await? == Standing::Empty {
        tracing::info!("nothing is stored of anybody: the database has no tables yet");
        return Ok(());
    }
    serve::migrate(&pool).await?;
    report(&erase::person(&pool, team, user, dry_run).await?, dry_run)
}

/// Tells what an erasure did. Fails if something is left.
fn report(erased: &Erased, is_dry_run: bool) -> anyhow::Result<()> {
    let Erased {
        found,
        left,
        withdrawals,
    } = erased;
    tracing::info!(
        links = found.links,
        withdrawals,
        link_offers = found.link_offers,
        commands = found.commands,
        streams = found.streams,
        stream_facts = found.stream_facts,
        memberships = found.memberships,
        admin_rights = found.admin_rights,
        settings = found.settings,
        jobs = found.jobs,
        audit_names = found.audit_names,
        "{}",
        match (is_dry_run, left.is_empty()) {
            _ if erased.is_nothing() => "nothing is stored of this person; compare both IDs",
            (true, _) => "dry run: this is stored of the person, and nothing was deleted",
            (false, true) => "this was stored of the person, and is deleted",
            (false, false) =>
                "this was stored of the person; it is deleted but for what is under way",
        }
    );
    if is_dry_run || left.is_empty() {
        return Ok(());
    }
    bail!(
        "left, because it is under way or came meanwhile: commands: {}, livestreams: {}, other rows: {}; run this again \
         once the commands and the livestreams have ended",
        left.commands,
        left.streams,
        left.others()
    )
}

fn team_id(id: &str) -> Result<TeamId, &'static str> {
    let is_id = is_slack_id(id, &['T', 'E']);
    let id = is_id.then(|| TeamId::new(id));
    id.ok_or("it is no Slack workspace ID, such as T0123ABCD")
}

fn user_id(id: &str) -> Result<SlackUserId, &'static str> {
    let is_id = is_slack_id(id, &['U', 'W']);
    let id = is_id.then(|| SlackUserId::new(id));
    id.ok_or("it is no Slack member ID, such as U0123ABCD")
}

async fn import_links(
    token_keys: &SecretString,
    database: DatabaseConfig,
    dry_run: bool,
) -> anyhow::Result<()> {
    let vault = Vault::from_keys(token_keys).context("TOKEN_KEYS cannot be used")?;
    let (database, _server) = connect_options(database, Cluster::MustExist).await?;
    let pool = db::pool(database);
    serve::migrate(&pool).await?;
    keys::check(&pool, &vault).await?;
    let imported = import::links(&pool, &vault, stdin().lock(), dry_run).await?;
    let done = if dry_run {
        "dry run: no link was imported"
    } else {
        "links imported"
    };
    tracing::info!(
        links = imported.links,
        links.new = imported.new,
        links.changed = imported.changed,
        links.unchanged = imported.unchanged,
        tokens.stored = imported.tokens_stored,
        tokens.kept = imported.tokens_kept,
        withdrawals = imported.withdrawals,
        "{done}"
    );
    Ok(())
}

async fn rotate_keys(token_keys: &SecretString, database: DatabaseConfig) -> anyhow::Result<()> {
    let vault = Vault::from_keys(token_keys).context("TOKEN_KEYS cannot be used")?;
    let (database, _server) = connect_options(database, Cluster::MustExist).await?;
    let pool = db::pool(database);
    serve::migrate(&pool).await?;
    keys::check_ids(&pool, &vault).await?;
    let Resealed { count, failed } = reseal::reseal(&pool, &vault).await?;
    let key = vault.first_key();
    let detail = format!("{count} records re-encrypted with key {key}");
    db::audit::keys_rotated(&pool, &detail).await?;
    if failed.is_empty() {
        tracing::info!(
            records = count,
            key,
            "tokens re-encrypted; older keys can be removed in 30 minutes"
        );
        return Ok(());
    }
    tracing::warn!(
        records = count,
        key,
        "tokens re-encrypted except for those that do not open; keep the older keys, and the ids that are lost, until none of \
         them is left"
    );
    bail!(
        "not re-encrypted, because they do not open: {}\n{failed}",
        failed.len()
    )
}

/// Whether a private PostgreSQL is made where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cluster {
    MayBeNew,
    /// What is to be changed stands in the service's database: a new one would be another.
    MustExist,
}

/// How to reach the database, and the private server to keep if it is one of our own.
async fn connect_options(
    database: DatabaseConfig,
    cluster: Cluster,
) -> anyhow::Result<(PgConnectOptions, Option<Server>)> {
    match database {
        DatabaseConfig::Url(DatabaseUrl { url, ignored }) => {
            let options: PgConnectOptions =
                url.expose_secret().parse().ok().context("DATABASE_URL")?;
            if !ignored.is_empty() {
                tracing::warn!(?ignored, "DATABASE_URL has parameters that are not used");
            }
            tracing::info!(
                database.host = options.get_host(),
                database.name = options.get_database(),
                "using the database of DATABASE_URL"
            );
            match db::reach(&options).await {
                Ok(few) => {
                    for few in few {
                        tracing::warn!(
                            limit = few.limit,
                            needed = few.needed,
                            way_out = few.way_out,
                            "the database allows fewer connections than one replica opens; statements will wait for one, \
                             and may fail"
                        );
                    }
                    Ok((options, None))
                }
                Err(error) if error.may_pass() => Err(error).context("DATABASE_URL"),
                Err(error) => Err(ConfigError::of("DATABASE_URL", error.to_string()).into()),
            }
        }
        DatabaseConfig::Private(data_dir)
            if cluster == Cluster::MustExist && !postgres::has_cluster(&data_dir) =>
        {
            Err(no_database(&data_dir).into())
        }
        DatabaseConfig::Private(data_dir) => {
            let server = Server::start(&std::env::current_exe()?, &data_dir, Durability::Durable)
                .await
                .context(
                    "DATABASE_URL is not set, and a private PostgreSQL server cannot be used instead; set it to a \
                     database, or mend this",
                )?;
            if cluster == Cluster::MayBeNew {
                server.create_database("livestream").await?;
            } else if !server.has_database("livestream").await? {
                // That of the playground may be all there is.
                return Err(no_database(&data_dir).into());
            }
            tracing::info!(
                postgres.version = server.major_version(),
                postgres.data = %server.data_dir().display(),
                "DATABASE_URL is not set; using a private PostgreSQL server"
            );
            Ok((server.options("livestream"), Some(server)))
        }
    }
}

fn no_database(data_dir: &Path) -> ConfigError {
    let text = format!(
        "it is not set, and no private database is found in {}; run this with the service's settings, and as its user",
        data_dir.display()
    );
    ConfigError::of("DATABASE_URL", text)
}
