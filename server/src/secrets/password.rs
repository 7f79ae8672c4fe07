//! Password hashing: argon2id on threads of its own, as many as cores, with a bounded queue. If the queue is full, a
//! request fails with 503 at once, so a flood of sign-ins neither slows other requests nor exhausts memory. Each
//! thread reuses one block of memory.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rollcall_api::error;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;

use crate::error::{AppResult, Error};

/// The maximum cost of stored parameters that are still computed: an import or an edit in the database could contain
/// any.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_ITERATIONS: u32 = 64;
const MAX_PARALLELISM: u32 = 16;
const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// The parameters for new hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl HashParams {
    /// The cost of a guess. Replicas with different settings must agree on which of two hashes is weaker, or each
    /// would replace the other's.
    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }
}

/// The result of a check.
#[derive(Clone, Debug)]
pub struct Verified {
    /// True if the password is correct.
    pub matches: bool,
    /// The new hash to store, if the stored one is weaker than the current parameters.
    pub upgrade: Option<String>,
}

type Job = Box<dyn FnOnce(&mut Workbench) + Send>;

/// The hashing threads, which end when this is dropped.
#[derive(Debug)]
pub struct Hasher {
    queue: SyncSender<Job>,
    params: HashParams,
    decoy: String,
}

impl Hasher {
    /// Starts the threads; `threads` 0 means one for each core.
    pub fn start(params: HashParams, threads: usize, queue: usize) -> Result<Self, String> {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let (sender, receiver) = sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads {
            let receiver = Arc::clone(&receiver);
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&receiver))
                .map_err(|error| format!("can't start a hashing thread: {error}"))?;
        }
        let decoy = Workbench::default().hash(b"nobody's password", params)?;
        Ok(Self { queue: sender, params, decoy })
    }

    /// Hashes a password that the policy accepts; `field` is its name in the request.
    pub async fn hash(
        &self,
        field: &'static str,
        password: &str,
        min_length: u32,
        own: Vec<String>,
    ) -> AppResult<String> {
        let (password, params) = (zeroize::Zeroizing::new(password.to_owned()), self.params);
        self.run(move |bench| {
            super::policy::check(field, &password, min_length, &own)?;
            bench.hash(password.as_bytes(), params).map_err(Error::internal)
        })
        .await?
    }

    /// Checks a password against a stored hash; without one, spends the same time and fails.
    pub async fn verify(&self, password: &str, kept: Option<&str>) -> AppResult<Verified> {
        let (password, params) = (zeroize::Zeroizing::new(password.to_owned()), self.params);
        let (kept, real) = match kept {
            Some(kept) => (kept.to_owned(), true),
            None => (self.decoy.clone(), false),
        };
        self.run(move |bench| {
            let matches = bench.verify(password.as_bytes(), &kept).map_err(Error::internal)? && real;
            let weaker = matches && params_of(&kept).is_some_and(|kept| kept.work() < params.work());
            let upgrade = if weaker { bench.hash(password.as_bytes(), params).ok() } else { None };
            Ok(Verified { matches, upgrade })
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Workbench) -> T + Send + 'static,
    ) -> AppResult<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |bench| {
            // A cancelled request needs no result.
            if !sender.is_closed() {
                let _unheard = sender.send(job(bench));
            }
        });
        match self.queue.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Error::retry_later(
                    error::UNAVAILABLE,
                    "too many passwords are being checked; try again",
                    1,
                ));
            }
            Err(TrySendError::Disconnected(_)) => {
                return Err(Error::internal("the hashing threads are gone"));
            }
        }
        receiver.await.map_err(|_| Error::internal("a hashing thread failed"))
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    let mut bench = Workbench::default();
    loop {
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        match job {
            Ok(job) => {
                // A panic in one job must not end the thread.
                let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut bench)));
                if outcome.is_err() {
                    bench = Workbench::default();
                }
            }
            Err(_) => return,
        }
    }
}

/// The memory of one thread.
#[derive(Default)]
struct Workbench {
    blocks: Vec<Block>,
}

impl Workbench {
    fn hash(&mut self, password: &[u8], params: HashParams) -> Result<String, String> {
        let mut salt = [0; SALT_BYTES];
        rand::Rng::fill_bytes(&mut rand::rng(), &mut salt);
        let argon_params = params.argon2()?;
        let mut output = [0; OUTPUT_BYTES];
        self.compute(
            Algorithm::Argon2id,
            Version::V0x13,
            argon_params.clone(),
            password,
            &salt,
            &mut output,
        )?;
        let phc = PasswordHash {
            algorithm: Ident::new("argon2id").map_err(|error| error.to_string())?,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&argon_params).map_err(|error| error.to_string())?,
            salt: Some(Salt::new(&salt).map_err(|error| error.to_string())?),
            hash: Some(Output::new(&output).map_err(|error| error.to_string())?),
        };
        Ok(phc.to_string())
    }

    fn verify(&mut self, password: &[u8], kept: &str) -> Result<bool, String> {
        let phc = PasswordHash::new(kept).map_err(|error| format!("a stored password hash: {error}"))?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).map_err(|error| error.to_string())?;
        let version = match phc.version {
            Some(version) => Version::try_from(version).map_err(|error| error.to_string())?,
            None => Version::V0x13,
        };
        let params = Params::try_from(&phc).map_err(|error| error.to_string())?;
        if params.m_cost() > MAX_MEMORY_KIB
            || params.t_cost() > MAX_ITERATIONS
            || params.p_cost() > MAX_PARALLELISM
        {
            return Err("a stored password hash has parameters over the limit".to_owned());
        }
        let (Some(salt), Some(expected)) = (phc.salt, phc.hash) else {
            return Err("a stored password hash has no salt or no output".to_owned());
        };
        let mut output = vec![0; expected.as_ref().len()];
        self.compute(algorithm, version, params, password, salt.as_ref(), &mut output)?;
        Ok(output.ct_eq(expected.as_ref()).into())
    }

    fn compute(
        &mut self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), String> {
        let blocks = params.block_count();
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, Block::default());
        }
        Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password, salt, output, &mut self.blocks[..blocks])
            .map_err(|error| error.to_string())
    }
}

impl HashParams {
    fn argon2(self) -> Result<Params, String> {
        Params::new(self.memory_kib, self.iterations, self.parallelism, Some(OUTPUT_BYTES))
            .map_err(|error| error.to_string())
    }
}

fn params_of(kept: &str) -> Option<HashParams> {
    let phc = PasswordHash::new(kept).ok()?;
    if phc.algorithm.as_str() != "argon2id" {
        return Some(HashParams { memory_kib: 0, iterations: 0, parallelism: 0 });
    }
    let params = Params::try_from(&phc).ok()?;
    Some(HashParams {
        memory_kib: params.m_cost(),
        iterations: params.t_cost(),
        parallelism: params.p_cost(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashParams = HashParams { memory_kib: 64, iterations: 1, parallelism: 1 };
    const GOOD: &str = "correct horse battery staple";

    #[tokio::test]
    async fn hashes_are_phc_strings_that_only_their_password_opens() {
        let hasher = Hasher::start(CHEAP, 1, 4).unwrap();
        let kept = hasher.hash("password", GOOD, 15, vec![]).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        assert_ne!(kept, hasher.hash("password", GOOD, 15, vec![]).await.unwrap(), "two salts");
        assert!(hasher.verify(GOOD, Some(&kept)).await.unwrap().matches);
        assert!(!hasher.verify("Correct horse battery staple", Some(&kept)).await.unwrap().matches);
        assert!(!hasher.verify(GOOD, None).await.unwrap().matches);
    }

    #[tokio::test]
    async fn raised_parameters_upgrade_the_hash() {
        let kept = Hasher::start(CHEAP, 1, 4).unwrap().hash("password", GOOD, 15, vec![]).await.unwrap();
        let stronger = HashParams { memory_kib: 128, ..CHEAP };
        let verified = Hasher::start(stronger, 1, 4).unwrap().verify(GOOD, Some(&kept)).await.unwrap();
        assert!(verified.upgrade.is_some_and(|hash| hash.contains("m=128")));
        let wrong = Hasher::start(stronger, 1, 4).unwrap().verify("wrong", Some(&kept)).await.unwrap();
        assert!(wrong.upgrade.is_none());
        let kept = Hasher::start(stronger, 1, 4).unwrap().hash("password", GOOD, 15, vec![]).await.unwrap();
        let lowered = Hasher::start(CHEAP, 1, 4).unwrap().verify(GOOD, Some(&kept)).await.unwrap();
        assert!(lowered.matches && lowered.upgrade.is_none(), "lowered ones change nothing");
    }

    #[tokio::test]
    async fn foreign_test_vector() {
        // From the reference implementation (phc-winner-argon2, argon2id, v=19).
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hasher = Hasher::start(CHEAP, 1, 4).unwrap();
        assert!(hasher.verify("password", Some(kept)).await.unwrap().matches);
    }

    #[tokio::test]
    async fn hostile_parameters_are_refused_before_computing() {
        let kept = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hasher = Hasher::start(CHEAP, 1, 4).unwrap();
        assert!(hasher.verify("password", Some(kept)).await.is_err());
    }

    #[tokio::test]
    async fn a_full_queue_answers_at_once() {
        let hasher = Hasher::start(CHEAP, 1, 1).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let mut waiting = [Box::pin(hasher.run(move |_| held.recv().is_ok()))];
        // The first occupies the thread, the second the queue; poll both so that they are sent.
        assert!(futures::poll!(&mut waiting[0]).is_pending());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let mut second = Box::pin(hasher.run(|_| true));
        assert!(futures::poll!(&mut second).is_pending());
        let refused = hasher.verify(GOOD, None).await.unwrap_err();
        assert!(matches!(refused, Error::RetryLater { code: error::UNAVAILABLE, .. }));
        release.send(()).unwrap();
        assert!(second.await.unwrap());
    }
}
