//! Machines, played by the local fleet: an instance of the emulator that runs is a process of the
//! example agent, and its disk a folder.

mod life;
mod machine;
