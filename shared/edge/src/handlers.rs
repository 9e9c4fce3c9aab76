//! A domain's handlers as an enum, so that `main` matches them without a `_`.

/// Declares `Handler` for a domain: its variants, their names as in `template.yaml`, and parsing.
#[macro_export]
macro_rules! handlers {
    ($domain:literal: $($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// The handlers of this domain, each a Lambda function of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Handler {
            $($(#[$doc])* $variant,)+
        }

        impl Handler {
            /// All of them, by the name `template.yaml` gives as `Handler`.
            pub const ALL: &'static [(&'static str, Self)] =
                &[$((concat!($domain, ".", $name), Self::$variant),)+];
        }

        impl ::std::str::FromStr for Handler {
            type Err = $crate::Stop;

            fn from_str(name: &str) -> ::std::result::Result<Self, $crate::Stop> {
                Self::ALL
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, handler)| *handler)
                    .ok_or_else(|| $crate::Stop::UnknownHandler(name.to_owned()))
            }
        }
    };
}
