//! The simulator's file and the one thread that owns it.
//!
//! Work comes as closures. All that waits is done in one transaction (each piece in its own
//! savepoint), and nobody is answered before that transaction is on disk: what a provider said it
//! accepted is there after `kill -9`. One `fsync` for many requests is also what makes it fast.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    error::{Error, Result},
    fault::Counter,
    settings::{self, Settings},
};

/// A batch is bounded so that the first of it does not wait for ever.
const BATCH: usize = 256;

/// What a piece of work sees.
pub(crate) struct State {
    pub connection: Connection,
    pub settings: Settings,
    pub counter: Counter,
    /// Callbacks being sent at this moment, so that none is taken twice. Not on disk: after a
    /// restart none is.
    pub in_flight: HashSet<i64>,
}

impl State {
    pub fn set(&mut self, settings: Settings) -> Result<()> {
        settings::store(&self.connection, &settings)?;
        self.settings = settings;
        Ok(())
    }
}

type Reply = Box<dyn FnOnce(Option<String>) + Send>;
type Work = Box<dyn FnOnce(&mut State) -> Reply + Send>;

enum Job {
    Work(Work),
    Stop,
}

#[derive(Clone)]
pub(crate) struct Database {
    jobs: mpsc::Sender<Job>,
}

impl Database {
    /// Opens (or makes) the file, `None` for memory, and starts the thread.
    pub fn open(file: Option<&Path>, now_ms: i64) -> Result<(Self, thread::JoinHandle<()>)> {
        let state = open(file, now_ms).map_err(|error| match (error, file) {
            (Error::Sql(source), Some(file)) => Error::Open { file: file.to_owned(), source },
            (error, _) => error,
        })?;
        let (jobs, inbox) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("simulator-file".to_owned())
            .spawn(move || run(state, &inbox))
            .map_err(Error::Thread)?;
        Ok((Self { jobs }, thread))
    }

    /// Does `work` and answers once its transaction is on disk. Goes on when the caller goes away.
    pub async fn call<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut State) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Work = Box::new(move |state| {
            let outcome = in_savepoint(state, work);
            Box::new(move |failure| {
                // A caller that has gone away does not want the answer.
                let _ = sender.send(match failure {
                    None => outcome,
                    Some(reason) => Err(Error::NotCommitted { reason }),
                });
            })
        });
        self.jobs.send(Job::Work(job)).map_err(|_| Error::Stopped)?;
        receiver.await.map_err(|_| Error::Stopped)?
    }

    /// Ends the thread after the work that already waits.
    pub fn stop(&self) {
        // It has ended already if nobody receives.
        let _ = self.jobs.send(Job::Stop);
    }
}

fn open(file: Option<&Path>, now_ms: i64) -> Result<State> {
    let connection = match file {
        Some(file) => Connection::open(file)?,
        None => Connection::open_in_memory()?,
    };
    connection.busy_timeout(Duration::from_secs(2))?;
    // Exclusive: a second simulator on the same file is refused instead of sharing its callbacks.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(include_str!("schema.sql"))?;
    crate::account::preset(&connection)?;
    crate::callback::wake_after_restart(&connection, now_ms)?;
    let settings = settings::load(&connection)?;
    Ok(State { connection, settings, counter: Counter::default(), in_flight: HashSet::new() })
}

fn run(mut state: State, inbox: &mpsc::Receiver<Job>) {
    let mut stopping = false;
    while !stopping {
        let Ok(first) = inbox.recv() else { return };
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Work(work) => batch.push(work),
                Job::Stop => {
                    stopping = true;
                    break;
                }
            }
            next = if batch.len() < BATCH { inbox.try_recv().ok() } else { None };
        }
        commit(&mut state, batch);
    }
}

fn commit(state: &mut State, batch: Vec<Work>) {
    let begun = state.connection.execute_batch("BEGIN");
    let replies: Vec<Reply> = batch.into_iter().map(|work| work(state)).collect();
    let failure = begun
        .and_then(|()| state.connection.execute_batch("COMMIT"))
        .err()
        .map(|error| error.to_string());
    if let Some(reason) = &failure {
        tracing::error!(reason, "the simulator's file did not take a transaction");
        if let Err(error) = state.connection.execute_batch("ROLLBACK") {
            tracing::warn!(%error, "nothing to roll back");
        }
    }
    for reply in replies {
        reply(failure.clone());
    }
}

fn in_savepoint<T>(state: &mut State, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
    state.connection.execute_batch("SAVEPOINT work")?;
    let outcome = work(state);
    state.connection.execute_batch(match outcome {
        Ok(_) => "RELEASE work",
        Err(_) => "ROLLBACK TO work; RELEASE work",
    })?;
    outcome
}

/// Where the data is, for people: `:memory:` when it is in no file.
pub(crate) fn describe(file: Option<&PathBuf>) -> String {
    file.map_or_else(|| ":memory:".to_owned(), |path| path.display().to_string())
}
