//! Lists that an answer can carry.

use serde::Serialize;

use super::{Reply, reply::encoded};

/// The room to keep for a row that was shrunk.
const SMALL_ROW: usize = 1024;

impl Reply {
    /// 200 with a JSON list, and whether it is whole. From the first row on that would take the
    /// room of rows to come, `shrink` takes away what rows can do without; where even that is too
    /// much, the list ends.
    pub fn list<T: Serialize>(rows: Vec<T>, shrink: impl Fn(&mut T)) -> (Self, bool) {
        let (json, whole) = written(rows, shrink, Self::MAX_BODY);
        (Self::bytes(lambda_http::http::StatusCode::OK, json), whole)
    }
}

fn written<T: Serialize>(rows: Vec<T>, shrink: impl Fn(&mut T), most: usize) -> (Vec<u8>, bool) {
    let (mut list, mut room, mut whole) = (vec![b'['], most.saturating_sub(2), true);
    let mut to_come = rows.len();
    for mut row in rows {
        to_come -= 1;
        if !whole {
            shrink(&mut row);
        }
        let mut json = encoded(&row);
        if whole && Reply::measure(&json) + 1 + to_come * SMALL_ROW > room {
            whole = false;
            shrink(&mut row);
            json = encoded(&row);
        }
        let Some(left) = room.checked_sub(Reply::measure(&json) + 1) else {
            break;
        };
        room = left;
        if list.len() > 1 {
            list.push(b',');
        }
        list.extend(json);
    }
    list.push(b']');
    (list, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the rows in the list, and whether it is whole.
    fn shape(rows: &[usize], most: usize) -> (Vec<usize>, bool) {
        // A quote measures 4: written into a row, and the row into an answer.
        let rows = rows.iter().map(|length| "\"".repeat(*length)).collect();
        let (json, whole) = written(rows, |row| row.truncate(100), most);
        assert!(Reply::measure(&json) <= most, "over {most}");
        let rows: Vec<String> = serde_json::from_slice(&json).expect("a list");
        (rows.iter().map(String::len).collect(), whole)
    }

    #[test]
    fn rows_are_shrunk_and_then_left_out() {
        let rows = [500, 500, 1];
        assert_eq!(shape(&rows, 10_000), (vec![500, 500, 1], true));
        assert_eq!(shape(&rows, 4_500), (vec![500, 100, 1], false));
        assert_eq!(shape(&rows, 3_500), (vec![100, 100, 1], false));
        assert_eq!(shape(&rows, 600), (vec![100], false));
        assert_eq!(shape(&rows, 100), (vec![], false));
        assert_eq!(shape(&[], 10), (vec![], true));
    }
}
