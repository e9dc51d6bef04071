#include "pipeline/journal_sqlite_reader.h"

#include <algorithm>
#include <limits>

namespace jarvis::pipeline::sqlite {
namespace {

#define RUN_COLUMNS                                                                                         \
  "SELECT id, host, operation, provider, state, resume_as, \"by\", place, source, plan_digest, directory, " \
  "started, ended, error, confirm, confirm_until, stages, stage_number, stage, task, asker FROM run "
// Word for word the condition of the index run_unfinished, or SQLite would not use it.
#define UNFINISHED "state NOT IN ('succeeded', 'failed', 'cancelled') "
#define ATTEMPT_COLUMNS                                                                                        \
  "SELECT a.step, a.number, a.started, a.ended, a.outcome, a.not_yet, a.exit_status, a.signal, a.last_words, " \
  "a.cpu_user, a.cpu_system, a.max_rss_kib"
#define ATTEMPT_ORDER \
  "WHERE a.run = (SELECT seq FROM run WHERE id = ?1) AND a.step BETWEEN ?2 AND ?3 ORDER BY a.step, a.number"

std::vector<std::string> split(const std::string& lines) {
  std::vector<std::string> keys;
  std::size_t from = 0;
  for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n', from)) {
    keys.push_back(lines.substr(from, end - from));
    from = end + 1;
  }
  return keys;
}

}  // namespace

Reader::Reader(Database& database)
    : database_(database),
      runs_(database, RUN_COLUMNS "ORDER BY seq DESC LIMIT ?1"),
      host_runs_(database, RUN_COLUMNS "WHERE host = ?2 ORDER BY seq DESC LIMIT ?1"),
      open_runs_(database, RUN_COLUMNS "WHERE " UNFINISHED "ORDER BY seq DESC LIMIT ?1"),
      open_host_runs_(database, RUN_COLUMNS "WHERE host = ?2 AND " UNFINISHED "ORDER BY seq DESC LIMIT ?1"),
      // '/' follows '.': everything that begins with the name and a dot, by the index.
      hosts_(database,
             "SELECT host FROM run WHERE host = ?1 UNION "
             "SELECT host FROM run WHERE host > ?1 || '.' AND host < ?1 || '/' AND instr(?1, '.') = 0 "
             "ORDER BY host"),
      run_(database, RUN_COLUMNS "WHERE id = ?1"),
      prefixed_(database, "SELECT id FROM run WHERE id >= ?1 AND id < ?2 LIMIT 2"),
      steps_(database,
             "SELECT number, p.id, p.task, p.stage, p.stage_number, family, executable, needs, gives, timeout, grace, "
             "attempts, delay, max_delay, deadline, after_timeout, after_failure, destroys, plan_mode, undo, undoes, "
             "s.state, counted, tries, elapsed, next_at, skipped_because "
             "FROM plan_step AS p JOIN step AS s USING (run, number) "
             "WHERE run = (SELECT seq FROM run WHERE id = ?1) ORDER BY number"),
      attempts_(database, ATTEMPT_COLUMNS ", '' FROM attempt AS a " ATTEMPT_ORDER),
      attempts_with_logs_(database, ATTEMPT_COLUMNS
                          ", log.lines FROM attempt AS a LEFT JOIN log "
                          "ON log.run = a.run AND log.step = a.step AND log.attempt = a.number " ATTEMPT_ORDER),
      checkpoint_(database,
                  "SELECT sealed FROM checkpoint WHERE seq = (SELECT checkpoint FROM step "
                  "WHERE run = (SELECT seq FROM run WHERE id = ?1) AND number = ?2)"),
      first_checkpoint_(database,
                        "SELECT sealed FROM checkpoint WHERE seq = (SELECT checkpoint FROM run WHERE id = ?1)"),
      newest_checkpoint_(
          database,
          "SELECT step, sealed FROM checkpoint WHERE seq = (SELECT max(run.checkpoint, "
          "ifnull((SELECT max(checkpoint) FROM step WHERE step.run = run.seq), 0)) FROM run WHERE id = ?1)"),
      took_(database, "SELECT elapsed FROM took WHERE provider = ?1 AND task = ?2 ORDER BY at DESC LIMIT 20"),
      note_(database, "SELECT value FROM note WHERE name = ?1") {}

Error Reader::unknown_word(const std::string& run, const std::string& word) const {
  return {Kind::Permanent, "journal " + database_.file() + ": run " + run + ": unknown word " + word +
                               "; the file is damaged or was edited"};
}

RunRecord Reader::run_from(Row& row) const {
  RunRecord run;
  run.id = row.text();
  run.host = row.text();
  run.operation = row.text();
  run.provider = row.text();
  for (RunState* const state : {&run.state, &run.resume_as}) {
    const std::string name = row.text();
    const auto known = run_state_from(name);
    if (!known) throw unknown_word(run.id, name);
    *state = *known;
  }
  run.by = row.text();
  run.where = row.text();
  run.source = row.text();
  run.plan_digest = row.text();
  run.directory = row.text();
  run.started = row.time();
  run.ended = row.optional_time();
  run.error = row.text();
  run.confirm = row.text();
  run.confirm_until = row.optional_time();
  run.stages = row.integer();
  run.stage_number = row.integer();
  run.stage = row.text();
  run.task = row.text();
  run.asker = row.text();
  return run;
}

StepRecord Reader::step_from(Row& row, const std::string& run) const {
  StepRecord step;
  step.index = row.integer();
  step.id = row.text();
  step.task = row.text();
  step.stage = row.text();
  step.stage_number = row.integer();
  step.family = row.text();
  step.executable = row.text();
  step.needs = split(row.text());
  step.gives = split(row.text());
  step.timeout = row.milliseconds();
  step.grace = row.milliseconds();
  step.retry.attempts = row.integer();
  step.retry.delay = row.milliseconds();
  step.retry.max_delay = row.milliseconds();
  step.retry.deadline = row.milliseconds();
  step.retry.after_timeout = row.flag();
  step.retry.after_failure = row.flag();
  step.destroys = row.flag();
  step.plan_mode = row.flag();
  step.undo = row.text();
  step.undoes = row.optional_integer();
  const std::string name = row.text();
  const auto state = step_state_from(name);
  if (!state) throw unknown_word(run, name);
  step.state = *state;
  step.counted = row.integer();
  step.tries = row.integer();
  step.elapsed = row.milliseconds();
  step.next_at = row.optional_time();
  step.skipped_because = row.text();
  return step;
}

std::vector<RunRecord> Reader::runs(const RunFilter& filter) {
  std::vector<RunRecord> runs;
  const auto keep = [&](Row& row) { runs.push_back(run_from(row)); };
  const int limit = filter.limit > 0 ? filter.limit : -1;
  if (filter.host) {
    (filter.unfinished_only ? open_host_runs_ : host_runs_).each(keep, limit, *filter.host);
  } else {
    (filter.unfinished_only ? open_runs_ : runs_).each(keep, limit);
  }
  return runs;
}

std::vector<std::string> Reader::hosts(const std::string& name) {
  std::vector<std::string> hosts;
  hosts_.each([&](Row& row) { hosts.push_back(row.text()); }, name);
  return hosts;
}

std::optional<RunRecord> Reader::run(const std::string& id) {
  if (id.empty()) return std::nullopt;
  // One snapshot, or the steps could be newer than the run's own line.
  const Transaction snapshot(database_, Transaction::Intent::Read);
  std::optional<RunRecord> run;
  const auto keep = [&](Row& row) { run = run_from(row); };
  run_.each(keep, id);
  if (!run) {
    std::vector<std::string> ids;
    prefixed_.each([&](Row& row) { ids.push_back(row.text()); }, id, id + '\x7f');
    if (ids.size() != 1) return std::nullopt;
    run_.each(keep, ids.front());
  }
  if (run) steps_.each([&](Row& row) { run->steps.push_back(step_from(row, run->id)); }, run->id);
  return run;
}

std::vector<AttemptRecord> Reader::attempts(const std::string& run, std::optional<int> step, bool with_logs) {
  std::vector<AttemptRecord> attempts;
  const auto keep = [&](Row& row) {
    AttemptRecord attempt;
    attempt.run = run;
    attempt.step = row.integer();
    attempt.number = row.integer();
    attempt.started = row.time();
    attempt.ended = row.optional_time();
    if (row.null()) {
      row.skip();
    } else {
      const std::string name = row.text();
      attempt.outcome = outcome_from(name);
      if (!attempt.outcome) throw unknown_word(run, name);
    }
    attempt.not_yet = row.flag();
    attempt.exit_status = row.integer();
    attempt.signal = row.integer();
    attempt.last_words = row.text();
    attempt.cpu_user = row.microseconds();
    attempt.cpu_system = row.microseconds();
    attempt.max_rss_kib = row.number();
    attempt.log = row.text();
    attempts.push_back(std::move(attempt));
  };
  (with_logs ? attempts_with_logs_ : attempts_)
      .each(keep, run, step.value_or(0), step.value_or(std::numeric_limits<int>::max()));
  return attempts;
}

std::optional<std::string> Reader::checkpoint(const std::string& run, int step) {
  std::optional<std::string> sealed;
  const auto keep = [&](Row& row) { sealed = row.blob(); };
  if (step < 0) {
    first_checkpoint_.each(keep, run);
  } else {
    checkpoint_.each(keep, run, step);
  }
  return sealed;
}

std::optional<std::pair<int, std::string>> Reader::newest_checkpoint(const std::string& run) {
  std::optional<std::pair<int, std::string>> newest;
  newest_checkpoint_.each(
      [&](Row& row) {
        const int step = row.integer();
        newest.emplace(step, row.blob());
      },
      run);
  return newest;
}

std::optional<std::chrono::milliseconds> Reader::usual(const std::string& provider, const std::string& task) {
  std::vector<std::chrono::milliseconds> took;
  took_.each([&](Row& row) { took.push_back(row.milliseconds()); }, provider, task);
  if (took.empty()) return std::nullopt;
  std::sort(took.begin(), took.end());
  return (took[took.size() / 2] + took[(took.size() - 1) / 2]) / 2;
}

std::optional<std::string> Reader::note(const std::string& name) {
  std::optional<std::string> value;
  note_.each([&](Row& row) { value = row.text(); }, name);
  return value;
}

}  // namespace jarvis::pipeline::sqlite
