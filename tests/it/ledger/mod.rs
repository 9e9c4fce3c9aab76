//! The contract of the ledger, held by the table and by its twin in memory alike: what the
//! simulation shows of the twin is worth as much as these cases.

/// Runs each case over both.
macro_rules! cases {
    ($($case:ident)+) => {
        mod table {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::ledger::bench::Table::new().await).await;
            })+
        }
        mod twin {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::ledger::bench::InMemory::new()).await;
            })+
        }
    };
}

mod accept;
mod becomes;
mod bench;
mod claim;
mod due;
mod finish;
mod hand_over;
mod line;
mod make;
mod offer;
mod random;
mod removed;
mod repeats;
mod requeue;
