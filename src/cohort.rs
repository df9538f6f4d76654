//! Cohorts: who the people are (`recruit`, `entry`, `persons`), how they came to be so (`history`), where they stand at index (`at_index`,
//! `spine_at_index`), what they take and when (`courses`), what is constant (`kernel`), one month of their lives (`month`, `happenings`,
//! `vertebrae`), how they changed at visits (`visits`), what their backs are like (`backs`), and all of it for blocks on threads
//! (`simulate`) or for one person to look at (`trace`). `course` follows a typical person without chance.

pub mod at_index;
pub mod backs;
pub mod course;
pub mod courses;
pub mod entry;
pub mod happenings;
pub mod history;
pub mod kernel;
pub mod month;
pub mod persons;
pub mod recruit;
pub mod simulate;
pub mod spine_at_index;
pub mod trace;
pub mod vertebrae;
pub mod visits;
