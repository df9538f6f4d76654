//! What is observed: columns of persons, follow-up, events, person-time and states. Everything that is compared is an integer,
//! so that parts of a simulation add up to the same numbers in any order.

/// A column of one table.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit floating-point numbers.
    F32(Vec<f32>),
    /// 64-bit floating-point numbers.
    F64(Vec<f64>),
}

/// What one column is.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// Name of the column.
    pub name: &'static str,
    /// Type of its numbers.
    pub dtype: &'static str,
    /// Unit in UCUM spelling; "1" for counts and codes.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

trait IntoColumn: Sized {
    const DTYPE: &'static str;
    fn into_column(values: Vec<Self>) -> Column;
}

macro_rules! into_column {
    ($($t:ident $variant:ident),*) => { $(
        impl IntoColumn for $t {
            const DTYPE: &'static str = stringify!($t);
            fn into_column(values: Vec<Self>) -> Column { Column::$variant(values) }
        }
    )* };
}
into_column!(u8 U8, u16 U16, u32 U32, u64 U64, i64 I64, f32 F32, f64 F64);

macro_rules! tables {
    ($( $(#[$about:meta])* $Table:ident, $Row:ident = $name:literal { $( $column:ident: $t:ident, $unit:literal, $meaning:literal; )* } )*) => {
        $(
            #[doc = concat!("One row of the table `", $name, "`.")]
            #[derive(Clone, Copy, Debug)]
            pub struct $Row { $( #[doc = $meaning] pub $column: $t, )* }

            $(#[$about])*
            #[derive(Clone, Debug, Default)]
            pub struct $Table { $( #[doc = $meaning] pub $column: Vec<$t>, )* }

            impl $Table {
                /// Appends one row.
                pub fn push(&mut self, row: $Row) { $( self.$column.push(row.$column); )* }
                /// Appends all rows of another table.
                pub fn append(&mut self, other: &mut $Table) { $( self.$column.append(&mut other.$column); )* }
                /// The columns with their names, moved out.
                pub fn into_columns(self) -> Vec<(&'static str, Column)> {
                    vec![ $( (stringify!($column), <$t as IntoColumn>::into_column(self.$column)), )* ]
                }
                /// What its columns are.
                pub fn specs() -> Vec<ColumnSpec> {
                    vec![ $( ColumnSpec { name: stringify!($column), dtype: <$t as IntoColumn>::DTYPE, unit: $unit, meaning: $meaning }, )* ]
                }
            }
        )*

        /// All tables with what their columns are.
        pub fn table_specs() -> Vec<(&'static str, Vec<ColumnSpec>)> {
            vec![ $( ($name, $Table::specs()), )* ]
        }
    };
}

tables! {
    /// Who the people are at index.
    Persons, PersonRow = "persons" {
        person: u64, "1", "Number of the person, from 0";
        cohort: u8, "1", "Cohort, by position in the scenario";
        sex: u8, "1", "Sex: 0 women, 1 men";
        age_months: u16, "mo", "Age at index";
        body_weight: f32, "kg", "Body weight";
        height: f32, "cm", "Height";
        calcium_intake: f32, "mg/d", "Usual calcium intake from food";
        serum_25ohd: f32, "nmol/L", "Serum 25-hydroxyvitamin D";
        activity: f32, "MET.min/wk", "Physical activity";
        menopause_age: f32, "a", "Age at the final menstrual period; missing for men";
        prior_fracture: u8, "1", "1 if there was a fragility fracture before index";
        risk_factors: u32, "1", "Bit k is set if the person has the k-th risk factor";
        abmd_lumbar_spine: f32, "g/cm2", "Areal density of the lumbar spine at index";
        abmd_total_hip: f32, "g/cm2", "Areal density of the total hip at index";
        abmd_femoral_neck: f32, "g/cm2", "Areal density of the femoral neck at index";
        abmd_distal_radius: f32, "g/cm2", "Areal density of the distal radius at index";
        frailty: f32, "1", "Frailty at index, in standard deviations of people of the same age and sex";
        spine: u64, "1", "Deformities of T4 to L4: bits 2i and 2i+1 grade, 26+2i and 27+2i shape of level i, 52 to 55 how many were seen";
        deformities: u8, "1", "Deformed vertebrae at index";
        worst_grade: u8, "1", "Grade of the worst deformity at index: 0 none, 1 mild, 2 moderate, 3 severe";
        kyphosis: f32, "deg", "Kyphosis (Cobb, T4 to T12) at index";
        height_loss: f32, "cm", "Height lost since youth at index";
        back: u8, "1", "Complaints of the back at index: bit 0 pain, 1 disability, 2 limited activity, 3 bed rest";
        source_row: i64, "1", "Row of the file of persons, from 0; -1 for people who were drawn";
    }
    /// How each person left, by arm.
    FollowUp, FollowUpRow = "follow_up" {
        person: u64, "1", "Number of the person";
        arm: u8, "1", "Arm, by position in the scenario";
        minutes: u32, "min", "Time lived in follow-up; a month has 43 830 minutes";
        died: u8, "1", "1 if the person died in follow-up";
        medicine_months: u16, "mo", "Months on medicines of the arm or cohort, summed over medicines";
        abmd_lumbar_spine: f32, "g/cm2", "Areal density of the lumbar spine at exit";
        abmd_total_hip: f32, "g/cm2", "Areal density of the total hip at exit";
        abmd_femoral_neck: f32, "g/cm2", "Areal density of the femoral neck at exit";
        abmd_distal_radius: f32, "g/cm2", "Areal density of the distal radius at exit";
        spine: u64, "1", "Deformities of T4 to L4 at exit: bits as at index";
        deformities: u8, "1", "Deformed vertebrae at exit";
        worst_grade: u8, "1", "Grade of the worst deformity at exit: 0 none, 1 mild, 2 moderate, 3 severe";
        kyphosis: f32, "deg", "Kyphosis (Cobb, T4 to T12) at exit";
        height_loss: f32, "cm", "Height lost since youth at exit";
        back: u8, "1", "Complaints of the back at exit: bit 0 pain, 1 disability, 2 limited activity, 3 bed rest";
    }
    /// Fractures, vertebral deformities, entries into nursing homes, and deaths.
    Events, EventRow = "events" {
        person: u64, "1", "Number of the person";
        arm: u8, "1", "Arm, by position in the scenario";
        month: u16, "mo", "Month of follow-up, from 0";
        minute: u16, "min", "Minute within the month";
        event: u8, "1", "0 death, 1 + k fracture at the k-th of K sites, K + 1 vertebral deformity, K + 2 nursing home entry";
        age_months: u16, "mo", "Age at the start of the month";
        cohort: u8, "1", "Cohort, by position in the scenario";
        sex: u8, "1", "Sex: 0 women, 1 men";
        class: u8, "1", "Density class at the start of the month: 0 normal, 1 osteopenia, 2 osteoporosis";
        level: u8, "1", "Level of the spine: 1 T4 to 9 T12, 10 L1 to 13 L4; 0 elsewhere";
        grade: u8, "1", "Grade of the deformity: 1 mild, 2 moderate, 3 severe; 0 elsewhere";
        grade_before: u8, "1", "Its grade before: 0 for a new deformity";
        shape: u8, "1", "Shape of the deformity: 1 wedge, 2 biconcave, 3 crush; 0 elsewhere";
        recorded: u8, "1", "0 for what registers of fractures miss, else 1";
        attributable: u8, "1", "Percent of the hazard of this death that earlier fractures caused; 0 for what is no death";
    }
    /// Time at risk and falls by stratum.
    PersonTime, PersonTimeRow = "person_time" {
        arm: u8, "1", "Arm, by position in the scenario";
        cohort: u8, "1", "Cohort, by position in the scenario";
        sex: u8, "1", "Sex: 0 women, 1 men";
        age: u8, "a", "Completed years of age";
        year: u8, "a", "Year of follow-up, from 0";
        class: u8, "1", "Density class at the start of the month: 0 normal, 1 osteopenia, 2 osteoporosis";
        minutes: u64, "min", "Time lived in this stratum";
        falls: u64, "1", "Months with a fall in this stratum";
    }
    /// Density of the living at index and at each anniversary.
    States, StateRow = "states" {
        arm: u8, "1", "Arm, by position in the scenario";
        cohort: u8, "1", "Cohort, by position in the scenario";
        sex: u8, "1", "Sex: 0 women, 1 men";
        age: u8, "a", "Completed years of age";
        year: u8, "a", "Years since index";
        site: u8, "1", "Density site: 0 lumbar spine, 1 total hip, 2 femoral neck, 3 distal radius";
        normal: u64, "1", "Living people with normal density";
        osteopenia: u64, "1", "Living people with osteopenia";
        osteoporosis: u64, "1", "Living people with osteoporosis";
        abmd_sum: i64, "ug/cm2", "Sum of their areal densities, each rounded to 1e-6 g/cm2";
    }
    /// Backs of the living at index and at each anniversary.
    Spines, SpineRow = "spine" {
        arm: u8, "1", "Arm, by position in the scenario";
        cohort: u8, "1", "Cohort, by position in the scenario";
        sex: u8, "1", "Sex: 0 women, 1 men";
        age: u8, "a", "Completed years of age";
        year: u8, "a", "Years since index";
        people: u64, "1", "Living people";
        deformed: u64, "1", "People with a deformed vertebra";
        deformities: u64, "1", "Deformed vertebrae";
        moderate: u64, "1", "People whose worst deformity is moderate or severe";
        severe: u64, "1", "People whose worst deformity is severe";
        height_loss_sum: i64, "10.um", "Sum of height lost since youth, each rounded to 10 um";
        height_loss_square_sum: i64, "10*2.um2", "Sum of the squares of these rounded losses";
        kyphosis_sum: i64, "mdeg", "Sum of kyphosis, each rounded to 0.001 degrees";
        kyphosis_square_sum: i64, "10*-2.deg2", "Sum of the squares of kyphosis rounded to 0.1 degrees";
        hyperkyphotic: u64, "1", "People with hyperkyphosis";
        back_pain: u64, "1", "People with back pain";
        back_disability: u64, "1", "People with disability by the back";
        limited_activity: u64, "1", "People whose back limits their activity on a week of the year or more";
        bed_rest: u64, "1", "People whose back keeps them in bed on a day of the year or more";
    }
    /// Change from index of the living at visits.
    Visits, VisitRow = "visits" {
        arm: u8, "1", "Arm, by position in the scenario";
        cohort: u8, "1", "Cohort, by position in the scenario";
        month: u16, "mo", "Months since index";
        measure: u8, "1", "0 lumbar spine, 1 total hip, 2 femoral neck, 3 distal radius (density), 4 CTX, 5 P1NP";
        people: u64, "1", "Living people";
        change_sum: i64, "10*-5", "Sum of their values relative to their own at index, less 1, each rounded to 1e-5";
        change_square_sum: i64, "10*-10", "Sum of the squares of these rounded changes";
        peak_sum: i64, "10*-5", "Sum of their values relative to the balanced young adult that they were, less 1, each rounded to 1e-5";
    }
}

/// Everything one piece of a simulation has to say.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Who the people are at index.
    pub persons: Persons,
    /// How each person left.
    pub follow_up: FollowUp,
    /// Fractures and deaths.
    pub events: Events,
    /// Time at risk and falls.
    pub person_time: PersonTime,
    /// Density at anniversaries.
    pub states: States,
    /// Backs at anniversaries.
    pub spine: Spines,
    /// Change from index at visits.
    pub visits: Visits,
}

/// Dense counters of person-time and states; parts add up.
#[derive(Clone, Debug)]
pub struct Tally {
    shape: TallyShape,
    time: Vec<[u64; 2]>,
    state: Vec<[i64; 4]>,
}

/// How many of each stratum there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TallyShape {
    /// Arms.
    pub arms: usize,
    /// Cohorts.
    pub cohorts: usize,
    /// Youngest age, completed years.
    pub first_age: usize,
    /// Number of ages.
    pub ages: usize,
    /// Years of follow-up.
    pub years: usize,
}

const SEXES: usize = 2;
const CLASSES: usize = 3;
const SITES: usize = 4;

impl Tally {
    /// Nothing counted yet.
    pub fn new(shape: TallyShape) -> Self {
        let groups = shape.arms * shape.cohorts * SEXES * shape.ages;
        Tally { shape, time: vec![[0; 2]; groups * shape.years * CLASSES], state: vec![[0; 4]; groups * (shape.years + 1) * SITES] }
    }

    /// Row of the counters of one group of people.
    #[inline]
    pub fn group(&self, arm: usize, cohort: usize, sex: usize, age: usize) -> usize {
        let s = &self.shape;
        let age = age.clamp(s.first_age, s.first_age + s.ages - 1) - s.first_age;
        ((arm * s.cohorts + cohort) * SEXES + sex) * s.ages + age
    }

    /// Counts time lived and a fall.
    #[inline]
    pub fn lived(&mut self, group: usize, year: usize, class: usize, minutes: u32, fell: bool) {
        let cell = &mut self.time[(group * self.shape.years + year) * CLASSES + class];
        cell[0] += u64::from(minutes);
        cell[1] += u64::from(fell);
    }

    /// Counts a living person's density at an anniversary.
    #[inline]
    pub fn state(&mut self, group: usize, year: usize, site: usize, class: usize, abmd: f64) {
        let cell = &mut self.state[(group * (self.shape.years + 1) + year) * SITES + site];
        cell[class] += 1;
        cell[3] += libm::round(abmd * 1.0e6) as i64;
    }

    /// Adds another tally of the same shape.
    pub fn add(&mut self, other: &Tally) {
        debug_assert_eq!(self.shape, other.shape);
        for (a, b) in self.time.iter_mut().zip(&other.time) {
            a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
        }
        for (a, b) in self.state.iter_mut().zip(&other.state) {
            a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
        }
    }

    /// The strata that somebody was in, as tables.
    pub fn into_tables(self) -> (PersonTime, States) {
        let (mut person_time, mut states) = (PersonTime::default(), States::default());
        let s = self.shape;
        for arm in 0..s.arms {
            for cohort in 0..s.cohorts {
                for sex in 0..SEXES {
                    for age in 0..s.ages {
                        let group = ((arm * s.cohorts + cohort) * SEXES + sex) * s.ages + age;
                        let (arm, cohort, sex, age) = (arm as u8, cohort as u8, sex as u8, (s.first_age + age) as u8);
                        for year in 0..s.years {
                            for class in 0..CLASSES {
                                let [minutes, falls] = self.time[(group * s.years + year) * CLASSES + class];
                                if minutes > 0 || falls > 0 {
                                    person_time.push(PersonTimeRow {
                                        arm,
                                        cohort,
                                        sex,
                                        age,
                                        year: year as u8,
                                        class: class as u8,
                                        minutes,
                                        falls,
                                    });
                                }
                            }
                        }
                        for year in 0..=s.years {
                            for site in 0..SITES {
                                let [normal, osteopenia, osteoporosis, abmd_sum] =
                                    self.state[(group * (s.years + 1) + year) * SITES + site];
                                if normal + osteopenia + osteoporosis > 0 {
                                    states.push(StateRow {
                                        arm,
                                        cohort,
                                        sex,
                                        age,
                                        year: year as u8,
                                        site: site as u8,
                                        normal: normal as u64,
                                        osteopenia: osteopenia as u64,
                                        osteoporosis: osteoporosis as u64,
                                        abmd_sum,
                                    });
                                }
                            }
                        }
                    }
                }
            }
        }
        (person_time, states)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up_and_leave_out_empty_strata() {
        let shape = TallyShape { arms: 1, cohorts: 1, first_age: 50, ages: 3, years: 2 };
        let (mut a, mut b) = (Tally::new(shape), Tally::new(shape));
        let g = a.group(0, 0, 1, 51);
        a.lived(g, 1, 2, 100, true);
        b.lived(g, 1, 2, 23, false);
        b.state(g, 2, 3, 1, 0.5);
        a.add(&b);
        let (time, states) = a.into_tables();
        assert_eq!((time.age, time.year, time.class, time.minutes, time.falls), (vec![51], vec![1], vec![2], vec![123], vec![1]));
        assert_eq!((states.osteopenia, states.abmd_sum), (vec![1], vec![500_000]));
    }
}
