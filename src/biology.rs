//! The systems of the body, in the order in which a month goes through them, and who reads whose state.
//!
//! | system | owns | reads |
//! |---|---|---|
//! | [`hormones`] | sex-steroid signal | age, sex, menopause, hormone exposures |
//! | [`minerals`] | calcium supply, parathyroid hormone | age, intake, 25-hydroxyvitamin D, sex-steroid signal |
//! | [`loading`] | load | activity, body weight, unloading |
//! | [`medicines`] | pools of bisphosphonate, antibodies and PTH analogues | doses, resorption |
//! | [`remodeling`] | cells, bone volume, mineral, microdamage, healing | all of the above, fractures |
//! | [`density`] | areal density, T-score, class | bone volume and mineral |
//! | [`frailty`] | frailty, instability | age, sex, life table, fractures |
//! | [`falls`] | falls | age, sex, frailty, vitamin D, activity, exposures |
//! | [`strength`] | load against strength | density, resorption, modelling, microdamage, weight, height, frailty, exposures |
//! | [`fracture`] | fractures | load against strength, falls, risk factors |
//! | [`spine`] | vertebrae, stature, curve and complaints of the back | load against strength, falls, age |
//! | [`mortality`] | death | life table, frailty, earlier fractures |

pub mod density;
pub mod falls;
pub mod fracture;
pub mod frailty;
pub mod hormones;
pub mod loading;
pub mod medicines;
pub mod minerals;
pub mod mortality;
pub mod remodeling;
pub mod spine;
pub mod strength;
