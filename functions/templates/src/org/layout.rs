//! Where the workspaces of an organisation stand on the canvas: children in a grid inside their
//! parent (contract: lifecycle-and-sweepers 7.4).

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 130.0;
const GUTTER: f64 = 14.0;
/// The part of a parent above its children.
const HEADER: f64 = 130.0;
/// What is left free beside and below them.
const SIDE: f64 = 16.0;
const COLUMNS: usize = 2;

/// Width and height of a workspace with all in it.
pub type Size = (f64, f64);

/// The size of a workspace with children of these sizes.
pub fn size(children: &[Size]) -> Size {
    if children.is_empty() {
        return (WIDTH, HEIGHT);
    }
    let columns = children.len().min(COLUMNS);
    let (column, rows) = (column(children), rows(children));
    let gaps = |count: usize| (1..count).fold(0.0, |sum, _| sum + GUTTER);
    let width = (0..columns).fold(0.0, |sum, _| sum + column) + gaps(columns) + 2.0 * SIDE;
    let height = HEADER + rows.iter().sum::<f64>() + gaps(rows.len()) + SIDE;
    (width, height)
}

/// The places of children of these sizes, seen from their parent.
pub fn places(children: &[Size]) -> Vec<(f64, f64)> {
    let (column, mut places, mut y) = (column(children), Vec::new(), HEADER);
    for (row, height) in children.chunks(COLUMNS).zip(rows(children)) {
        let mut x = SIDE;
        for _ in row {
            places.push((x, y));
            x += column + GUTTER;
        }
        y += height + GUTTER;
    }
    places
}

/// All columns are as wide as the widest sibling.
fn column(children: &[Size]) -> f64 {
    children
        .iter()
        .fold(0.0, |most, (width, _)| most.max(*width))
}

/// A row is as high as the highest in it.
fn rows(children: &[Size]) -> Vec<f64> {
    let highest = |row: &[Size]| {
        row.iter()
            .fold(0.0_f64, |most, (_, height)| most.max(*height))
    };
    children.chunks(COLUMNS).map(highest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids() {
        let leaf = size(&[]);
        assert_eq!(leaf, (240.0, 130.0));
        assert_eq!(size(&[leaf]), (272.0, 276.0));
        assert_eq!(size(&[leaf, leaf]), (526.0, 276.0));
        assert_eq!(size(&[leaf, leaf, leaf]), (526.0, 420.0));
        assert_eq!(places(&[]), []);
        assert_eq!(
            places(&[leaf, leaf, leaf]),
            [(16.0, 130.0), (270.0, 130.0), (16.0, 274.0)]
        );
        // A parent among leaves widens both columns, and heightens its row.
        let parent = size(&[leaf, leaf]);
        assert_eq!(
            places(&[leaf, parent, leaf]),
            [(16.0, 130.0), (556.0, 130.0), (16.0, 420.0)]
        );
    }
}
