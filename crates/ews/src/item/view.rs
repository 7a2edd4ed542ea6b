//! Reads which part of a list is wanted: the page views of [MS-OXWSSRCH].

use crate::ResponseCode;
use crate::xml::{Children, Element, Namespace, Violation, Writer};

use super::search::{PAGE_MAX, Page, View};

const UNSUPPORTED: [&str; 6] = [
    "IndexedPageViewItemView",
    "SeekToConditionPageItemView",
    "CalendarView",
    "ContactsView",
    "GroupBy",
    "DistinguishedGroupBy",
];

/// Takes the views that come next. A view that is not supported is an error of the answer.
pub(crate) fn read(children: &mut Children<'_>) -> Result<Result<View, ResponseCode>, Violation> {
    let m = Namespace::Messages;
    let mut view = Ok(View::Whole);
    for name in ["IndexedPageItemView", "IndexedPageFolderView"] {
        if let Some(element) = children.optional(m, name) {
            view = Ok(indexed(element)?);
        }
    }
    for name in ["FractionalPageItemView", "FractionalPageFolderView"] {
        if let Some(element) = children.optional(m, name) {
            view = Ok(fractional(element)?);
        }
    }
    for name in UNSUPPORTED {
        if children.optional(m, name).is_some() {
            view = Err(ResponseCode::ErrorInvalidOperation);
        }
    }
    Ok(view)
}

fn most(element: &Element) -> Result<u32, Violation> {
    match element.number_attribute("MaxEntriesReturned")? {
        Some(0) => Err(element.violation("At least one entry has to be asked for.")),
        Some(most) => Ok(most),
        None => Ok(PAGE_MAX),
    }
}

fn indexed(element: &Element) -> Result<View, Violation> {
    let offset = element.number_attribute("Offset")?;
    let offset = offset.ok_or_else(|| element.violation("A required attribute is missing."))?;
    let from_end = match element.required_attribute("BasePoint")? {
        "Beginning" => false,
        "End" => true,
        _ => return Err(element.violation("The base point is not known.")),
    };
    Ok(View::Indexed { most: most(element)?, offset, from_end })
}

fn fractional(element: &Element) -> Result<View, Violation> {
    let number = |name| {
        element.number_attribute(name)?.ok_or_else(|| element.violation("A required attribute is missing."))
    };
    let (numerator, denominator) = (number("Numerator")?, number("Denominator")?);
    if denominator == 0 || numerator > denominator {
        return Err(element.violation("The numerator is larger than the denominator, or that is zero."));
    }
    Ok(View::Fractional { most: most(element)?, numerator, denominator })
}

impl View {
    /// Prints the root of a page: where the next one begins, by the words of this view.
    pub(crate) fn root<T>(self, writer: &mut Writer, page: &Page<T>, within: impl FnOnce(&mut Writer)) {
        let (next, total) = (page.next.to_string(), page.total.to_string());
        let is_last = if page.is_last { "true" } else { "false" };
        let rest = [("TotalItemsInView", total.as_str()), ("IncludesLastItemInRange", is_last)];
        let attributes = match self {
            View::Fractional { .. } => {
                [&[("NumeratorOffset", next.as_str()), ("AbsoluteDenominator", total.as_str())], &rest[..]]
                    .concat()
            }
            View::Whole | View::Indexed { .. } => {
                [&[("IndexedPagingOffset", next.as_str())], &rest[..]].concat()
            }
        };
        writer.element("m:RootFolder", &attributes, within);
    }
}
