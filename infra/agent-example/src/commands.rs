//! What one can tell this agent to do: the first word of a message.

use std::time::Duration;

use axum::http::StatusCode;

/// A message, understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Command<'a> {
    Echo(&'a str),
    Summarise,
    /// A peer's name or id, then the text for it. Only the list of peers tells where the name ends.
    Ask(&'a str),
    Notify {
        message: &'a str,
        attach: Option<&'a str>,
    },
    Tools,
    Slow {
        wait: Duration,
        text: &'a str,
    },
    Busy(Duration),
    Fail(StatusCode),
    Wedge,
    Recover,
    Errors(f64),
    Task(&'a str),
    Capability {
        name: &'a str,
        on: bool,
    },
    Count,
    Exit(u8),
    /// A command whose argument is missing or wrong: how it is written.
    Usage(&'static str),
    /// Anything else.
    Hello,
}

/// How each command is written and what it does; also the skills of the agent's card.
pub(crate) const COMMANDS: [(&str, &str); 15] = [
    ("echo <text>", "Answers with the text."),
    (
        "summarise",
        "Counts the words and lines of the attached text file and shows its start.",
    ),
    (
        "ask <peer> <text>",
        "Sends the text to a peer, by name or id, and tells what it says.",
    ),
    (
        "notify <message> [attach <file name>]",
        "Sends a note to the user, with a small file if asked.",
    ),
    ("tools", "Reports two uses of a tool."),
    (
        "slow <seconds> <text>",
        "Answers with the text after a while.",
    ),
    (
        "busy <seconds>",
        "Refuses every message for a while, as an agent at capacity does.",
    ),
    ("fail <status>", "Answers with that HTTP status."),
    ("wedge", "Reports a runtime that is stuck."),
    ("recover", "Reports a runtime that works again."),
    ("errors <rate>", "Reports that error rate, from 0 to 1."),
    (
        "task [text]",
        "Reports the text as the current task; none when empty.",
    ),
    (
        "capability <name> <on|off>",
        "Declares what the runtime does by itself, or no longer does.",
    ),
    (
        "count",
        "Tells how many messages were received, and how many different ones.",
    ),
    ("exit <code>", "Ends the process after answering."),
];

const LONGEST_WAIT_SECONDS: f64 = 86_400.0;

/// Reads a message's text. The command word is case-insensitive; its argument is kept as written.
pub(crate) fn parse(text: &str) -> Command<'_> {
    let (word, rest) = split_word(text);
    let word = word.to_ascii_lowercase();
    let command = match word.as_str() {
        "echo" => filled(rest).map(Command::Echo),
        "summarise" | "summarize" => Some(Command::Summarise),
        "ask" => filled(split_word(rest).1).map(|_| Command::Ask(rest)),
        "notify" => notify(rest),
        "slow" => slow(rest),
        "busy" => seconds(rest).map(Command::Busy),
        "fail" => status(rest).map(Command::Fail),
        "errors" => rate(rest).map(Command::Errors),
        "task" => Some(Command::Task(rest)),
        "capability" => capability(rest),
        "exit" => rest.parse().ok().map(Command::Exit),
        // Ordinary words: a command only when nothing follows ("tools" is one, "tools are great" is not).
        "tools" if rest.is_empty() => Some(Command::Tools),
        "wedge" if rest.is_empty() => Some(Command::Wedge),
        "recover" if rest.is_empty() => Some(Command::Recover),
        "count" if rest.is_empty() => Some(Command::Count),
        _ => Some(Command::Hello),
    };
    command.unwrap_or_else(|| Command::Usage(usage(&word)))
}

/// The first word, and what follows it; both trimmed.
pub(crate) fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn usage(word: &str) -> &'static str {
    let mut usages = COMMANDS.iter().map(|(usage, _)| *usage);
    usages
        .find(|usage| split_word(usage).0 == word)
        .unwrap_or_default()
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn notify(rest: &str) -> Option<Command<'_>> {
    let (message, attach) = match rest.rsplit_once(" attach ") {
        Some((message, name)) => (message.trim(), Some(filled(name.trim())?)),
        None => (rest, None),
    };
    filled(message).map(|message| Command::Notify { message, attach })
}

fn slow(rest: &str) -> Option<Command<'_>> {
    let (wait, text) = split_word(rest);
    let wait = seconds(wait)?;
    filled(text).map(|text| Command::Slow { wait, text })
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| *seconds <= LONGEST_WAIT_SECONDS)?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// 1xx is left out: it announces an answer and is none.
fn status(text: &str) -> Option<StatusCode> {
    let code = text.parse().ok().filter(|code| (200..600).contains(code))?;
    StatusCode::from_u16(code).ok()
}

fn rate(text: &str) -> Option<f64> {
    text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate))
}

fn capability(rest: &str) -> Option<Command<'_>> {
    let (name, state) = split_word(rest);
    let on = match state {
        "on" => true,
        "off" => false,
        _ => return None,
    };
    Some(Command::Capability { name, on })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_its_command() {
        let wait = Duration::from_secs;
        let note = |message, attach| Command::Notify { message, attach };
        let flag = |name, on| Command::Capability { name, on };
        let table = [
            ("echo  two  words ", Command::Echo("two  words")),
            ("ECHO x", Command::Echo("x")),
            ("echo", Command::Usage("echo <text>")),
            ("summarise", Command::Summarise),
            ("Summarize this, please", Command::Summarise),
            ("ask Beta echo hi", Command::Ask("Beta echo hi")),
            ("ask Beta", Command::Usage("ask <peer> <text>")),
            ("notify all done", note("all done", None)),
            (
                "notify see the report attach my report.txt",
                note("see the report", Some("my report.txt")),
            ),
            ("notify attach a.txt", note("attach a.txt", None)),
            (
                "notify",
                Command::Usage("notify <message> [attach <file name>]"),
            ),
            ("tools", Command::Tools),
            ("tools are great", Command::Hello),
            (
                "slow 2 done",
                Command::Slow {
                    wait: wait(2),
                    text: "done",
                },
            ),
            (
                "slow 0.5 done",
                Command::Slow {
                    wait: Duration::from_millis(500),
                    text: "done",
                },
            ),
            ("slow done", Command::Usage("slow <seconds> <text>")),
            ("slow -1 done", Command::Usage("slow <seconds> <text>")),
            ("busy 3", Command::Busy(wait(3))),
            ("busy 1e99", Command::Usage("busy <seconds>")),
            ("busy NaN", Command::Usage("busy <seconds>")),
            ("fail 500", Command::Fail(StatusCode::INTERNAL_SERVER_ERROR)),
            ("fail 100", Command::Usage("fail <status>")),
            ("fail me not", Command::Usage("fail <status>")),
            ("wedge", Command::Wedge),
            ("recover", Command::Recover),
            ("errors 0.6", Command::Errors(0.6)),
            ("errors 2", Command::Usage("errors <rate>")),
            ("task write the report", Command::Task("write the report")),
            ("task", Command::Task("")),
            ("capability session on", flag("session", true)),
            ("capability session off", flag("session", false)),
            (
                "capability session",
                Command::Usage("capability <name> <on|off>"),
            ),
            ("count", Command::Count),
            ("count to ten", Command::Hello),
            ("exit 3", Command::Exit(3)),
            ("exit now", Command::Usage("exit <code>")),
            ("hello", Command::Hello),
            ("what do you do?", Command::Hello),
            ("", Command::Hello),
        ];
        for (text, command) in table {
            assert_eq!(parse(text), command, "{text:?}");
        }
    }
}
