//! Serde's nesting, bounded: a deserializer around bincode's.
//!
//! A value that can hold values of its own kind is read by a function that calls
//! itself, one call for each level. The stack ends before a hostile message does, and
//! the process with it; that is no error which could be caught. JSON readers count
//! levels for this reason. bincode does not, so the counting is done here, between the
//! format and the type: whatever one hands to the other is wrapped, and each value
//! inside a value has one level less than the value around it.
//!
//! Two smaller promises of a message are not believed either. A list says how long it
//! is, and serde reserves up to 1 MiB for it at every level; here it grows as its items
//! come. And items that take no bytes, as in `Vec<()>`, can be claimed by the billion;
//! here the number of values is bounded as well.

use std::cell::Cell;

use serde::de::{DeserializeSeed, Deserializer, Error};

/// What one message may hold. The counts are of one message: make a new one for the
/// next.
#[derive(Debug)]
pub struct Budget {
    levels: usize,
    values: Cell<usize>,
    too_deep: Cell<bool>,
}

impl Budget {
    /// For at most `levels` of values inside each other, the outermost included, and
    /// `values` in all.
    pub fn new(levels: usize, values: usize) -> Budget {
        Budget { levels, values: Cell::new(values), too_deep: Cell::new(false) }
    }

    /// Whether the levels did not suffice. The format's own error says it as text only.
    pub fn was_too_deep(&self) -> bool {
        self.too_deep.get()
    }

    /// Wraps the seed that a format is asked to read, such as a `PhantomData<T>`.
    pub fn around<S>(&self, seed: S) -> Bounded<'_, S> {
        Bounded { inner: seed, levels: self.levels, budget: self }
    }
}

/// Anything that serde passes between a format and a type, and the levels that are left
/// below it.
#[derive(Debug)]
pub struct Bounded<'b, T> {
    pub(super) inner: T,
    levels: usize,
    budget: &'b Budget,
}

impl<'b, T> Bounded<'b, T> {
    /// Wraps what is passed on for the same value.
    pub(super) fn same<U>(&self, inner: U) -> Bounded<'b, U> {
        Bounded { inner, levels: self.levels, budget: self.budget }
    }

    /// Wraps the deserializer of a value inside this one: the only place that counts.
    pub(super) fn inside<U, E: Error>(&self, inner: U) -> Result<Bounded<'b, U>, E> {
        let Some(levels) = self.levels.checked_sub(1) else {
            self.budget.too_deep.set(true);
            return Err(E::custom("nested too deep"));
        };
        let Some(values) = self.budget.values.get().checked_sub(1) else {
            return Err(E::custom("more values than its bytes can hold"));
        };
        self.budget.values.set(values);
        Ok(Bounded { inner, levels, budget: self.budget })
    }

    /// How many values the message can still hold.
    pub(super) fn values_left(&self) -> usize {
        self.budget.values.get()
    }
}

// Three doors lead to a value inside a value. This one is for the items of a list, the
// keys and values of a map, the fields of a struct and the content of an enum; the
// other two are `visit_some` and `visit_newtype_struct`, in `visit.rs`.
impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.inside(deserializer)?;
        self.inner.deserialize(deserializer)
    }
}
