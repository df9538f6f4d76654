//! The spine: thirteen vertebrae (T4 to L4) that can give way one by one, and what becomes of stature, curve and back.
//!
//! Signals: aBMD of the lumbar spine, R resorption, M modelling, D microdamage, weight, height, zeta frailty; all of them enter through the demand of
//! [`super::strength`]. State: grade and shape of each level and how many compressions were noticed, packed into 64 bits ([`levels`]).
//!
//! 1. person's part m = ln load - ln strength (equations of [`super::strength`] with the constants of the spine's site) + gk (kyphosis - mean kyphosis) / 10;
//!    the mean is that of people of the same age whose vertebrae are intact
//! 2. level's part c_i = load_i + neighbour_load (grade above + grade below) + own_weakening (own grade): a compressed vertebra leans on its neighbours
//! 3. hazard of a level h_i = n share((m + c_i + b) / spread) exp(risk score), 0 at the worst grade; n = (1 - s) + s fell / p; b makes the mean of
//!    their sum H over the population, with the deformities that it has, the population's incidence of new or worse deformities
//! 4. the month's draw is compared with H: the hardest load of a month comes once; the level is drawn in proportion to h_i; new grade = the larger of old grade + 1 and a drawn grade; the
//!    first compression of a level gives its shape, by region; whether it comes to clinical attention depends on the new grade
//! 5. height loss since youth (cm) = disc loss ((age - from)+ / (80 - from))^2 + sum over deformed levels of loss(shape) ratio^(grade - 2)
//! 6. kyphosis (Cobb angle T4 to T12, degrees) = young + individual ageing x ageing ((age - from)+ / (80 - from))^power + sum over deformed thoracic levels of
//!    angle(shape) ratio^(grade - 2), at most 120; young is normal, individual ageing lognormal with mean 1
//! 7. back: each of four complaints is present if the person's logistic luck exceeds -(ln odds at 70 + slope (age - 70) / 10 + a x silent deformities + b x noticed
//!    ones, each counted up to 3); for some months after a noticed compression all are present
//!
//! A compression that is noticed is also a fracture of the spine's site, with everything that a fracture brings; registers miss a share of them.
//!
//! Sources: grades and shapes genant1993; everything else in `parameters/spine.yaml`.
//!
//! Left out: L5 and the vertebrae above T4; muscle strength and posture while lifting other than by kyphosis; discs that degenerate differently between levels;
//! scoliosis; repair by cement; deformities of youth that are no fractures, unless as early deformities; height that vertebrae regain lying down.

pub mod back;
pub mod compression;
pub mod levels;
pub mod posture;
#[cfg(test)]
mod tests;

pub use back::Back;
pub use compression::{Compressed, Draws, Levels, Outcome, Weakest, level_of, total};
pub use levels::Spine;
pub use posture::{Curve, Posture};
