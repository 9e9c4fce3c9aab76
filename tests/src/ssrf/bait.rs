//! A listener on this machine that counts who came.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// Listens at one port of every loopback address there is. It stops with the test's runtime.
#[derive(Debug, Clone)]
pub struct Bait {
    /// The port.
    pub port: u16,
    came: Arc<AtomicUsize>,
}

impl Bait {
    /// Lays it out.
    ///
    /// # Panics
    /// There is no loopback.
    pub async fn lay() -> Self {
        let first = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = first.local_addr().expect("bound").port();
        let bait = Self {
            port,
            came: Arc::default(),
        };
        bait.watch(first);
        // A machine may have no IPv6.
        for address in ["127.0.0.53", "::1"] {
            if let Ok(other) = TcpListener::bind((address, port)).await {
                bait.watch(other);
            }
        }
        bait
    }

    /// How many connections there were.
    pub fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }

    fn watch(&self, at: TcpListener) {
        let came = Arc::clone(&self.came);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = at.accept().await {
                came.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut start = [0; 1024];
                    let _ = client.read(&mut start).await;
                    let said =
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                    let _ = client.write_all(said).await;
                });
            }
        });
    }
}
