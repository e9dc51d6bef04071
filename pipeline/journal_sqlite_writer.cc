#include "pipeline/journal_sqlite_writer.h"

#include <algorithm>

namespace jarvis::pipeline::sqlite {
namespace {

std::string lines(const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += key + "\n";
  return text;
}

Error missing(const std::string& run, int step) {
  return {Kind::Bug, "journal: run " + run + " has no step " + std::to_string(step)};
}

}  // namespace

Writer::Writer(Database& database)
    : database_(database),
      find_run_(database, "SELECT seq FROM run WHERE id = ?1"),
      add_run_(database,
               "INSERT INTO run (id, host, operation, provider, state, resume_as, \"by\", place, source, plan_digest, "
               "directory, started, ended, error, confirm, confirm_until, stages, stage_number, stage, task, asker) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "
               "?21)"),
      move_run_(database,
                "UPDATE run SET resume_as = ?3, error = ?4, ended = ?5, stage_number = ?6, stage = ?7, "
                "task = ?8, confirm = ?9, confirm_until = ?10 WHERE seq = ?1 AND state = ?2"),
      change_run_(database,
                  "UPDATE run SET state = ?2, resume_as = ?3, error = ?4, ended = ?5, stage_number = ?6, stage = ?7, "
                  "task = ?8, confirm = ?9, confirm_until = ?10 WHERE seq = ?1"),
      set_asker_(database, "UPDATE run SET asker = ?2 WHERE seq = ?1"),
      add_plan_step_(database,
                     "INSERT INTO plan_step VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
                     "?16, ?17, ?18, ?19, ?20, ?21, ?22)"),
      add_step_(database, "INSERT INTO step VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL)"),
      begin_step_(database, "UPDATE step SET state = ?3, tries = ?4, next_at = NULL WHERE run = ?1 AND number = ?2"),
      end_step_(database,
                "UPDATE step SET state = ?3, counted = ?4, elapsed = ?5, next_at = ?6, "
                "checkpoint = ifnull(?7, checkpoint) WHERE run = ?1 AND number = ?2"),
      change_step_(database,
                   "UPDATE step SET state = ?3, skipped_because = ?4, counted = ?5, elapsed = ?6, next_at = NULL "
                   "WHERE run = ?1 AND number = ?2"),
      begin_attempt_(database, "INSERT INTO attempt (run, step, number, started) VALUES (?1, ?2, ?3, ?4)"),
      end_attempt_(database,
                   "UPDATE attempt SET ended = ?4, outcome = ?5, not_yet = ?6, exit_status = ?7, signal = ?8, "
                   "last_words = ?9, cpu_user = ?10, cpu_system = ?11, max_rss_kib = ?12 "
                   "WHERE run = ?1 AND step = ?2 AND number = ?3"),
      add_log_(database, "INSERT OR REPLACE INTO log VALUES (?1, ?2, ?3, ?4)"),
      add_checkpoint_(database, "INSERT INTO checkpoint (run, step, sealed) VALUES (?1, ?2, ?3)"),
      set_first_checkpoint_(database, "UPDATE run SET checkpoint = ?2 WHERE seq = ?1"),
      find_task_(database,
                 "SELECT run.provider, plan_step.task, plan_step.plan_mode FROM run, plan_step "
                 "WHERE run.seq = ?1 AND plan_step.run = ?1 AND plan_step.number = ?2"),
      add_took_(database, "INSERT OR REPLACE INTO took VALUES (?1, ?2, ?3, ?4)"),
      set_note_(database, "INSERT OR REPLACE INTO note VALUES (?1, ?2)") {}

void Writer::apply(const Record& record) {
  std::visit([this](const auto& what) { put(what); }, record);
}

void Writer::set_note(const std::string& name, const std::string& value) {
  set_note_.run(name, value);
}

void Writer::forget() {
  last_run_ = {};
}

std::int64_t Writer::seq_of(const std::string& run) {
  if (last_run_.first != run || run.empty()) {
    std::optional<std::int64_t> seq;
    find_run_.each([&](Row& row) { seq = row.number(); }, run);
    if (!seq) throw Error(Kind::Bug, "journal: there is no run " + run);
    last_run_ = {run, *seq};
  }
  return last_run_.second;
}

void Writer::put(const RunCreated& created) {
  const RunRecord& run = created.run;
  add_run_.run(run.id, run.host, run.operation, run.provider, word(run.state), word(run.resume_as), run.by, run.where,
               run.source, run.plan_digest, run.directory, run.started, run.ended, run.error, run.confirm,
               run.confirm_until, run.stages, run.stage_number, run.stage, run.task, run.asker);
  const std::int64_t seq = seq_of(run.id);
  for (const StepRecord& step : run.steps) add_step(seq, step);
  set_first_checkpoint_.run(seq, add_checkpoint(seq, -1, created.sealed_clipboard));
}

void Writer::put(const StepsAdded& added) {
  const std::int64_t seq = seq_of(added.run);
  for (const StepRecord& step : added.steps) add_step(seq, step);
}

void Writer::add_step(std::int64_t run, const StepRecord& step) {
  add_plan_step_.run(run, step.index, step.id, step.task, step.stage, step.stage_number, step.family, step.executable,
                     lines(step.needs), lines(step.gives), step.timeout, step.grace, step.retry.attempts,
                     step.retry.delay, step.retry.max_delay, step.retry.deadline, step.retry.after_timeout,
                     step.retry.after_failure, step.destroys, step.plan_mode, step.undo, step.undoes);
  add_step_.run(run, step.index, word(step.state), step.counted, step.tries, step.elapsed, step.next_at,
                step.skipped_because);
}

std::int64_t Writer::add_checkpoint(std::int64_t run, int step, const std::string& sealed) {
  add_checkpoint_.run(run, step, Blob{sealed});
  return sqlite3_last_insert_rowid(database_.handle());
}

void Writer::put(const AttemptBegan& began) {
  const std::int64_t seq = seq_of(began.run);
  if (begin_step_.run(seq, began.step, word(StepRecord::State::Under), began.number) == 0) {
    throw missing(began.run, began.step);
  }
  begin_attempt_.run(seq, began.step, began.number, began.at);
}

void Writer::put(const AttemptEnded& ended) {
  const AttemptRecord& attempt = ended.attempt;
  const std::int64_t seq = seq_of(attempt.run);
  std::optional<std::string_view> outcome;
  if (attempt.outcome) outcome = word(*attempt.outcome);
  if (end_attempt_.run(seq, attempt.step, attempt.number, attempt.ended, outcome, attempt.not_yet, attempt.exit_status,
                       attempt.signal, attempt.last_words, attempt.cpu_user, attempt.cpu_system,
                       attempt.max_rss_kib) == 0) {
    throw Error(Kind::Bug, "journal: run " + attempt.run + ": attempt " + std::to_string(attempt.number) + " of step " +
                               std::to_string(attempt.step) + " ended but never began");
  }
  std::optional<std::int64_t> checkpoint;
  if (ended.sealed_clipboard) checkpoint = add_checkpoint(seq, attempt.step, *ended.sealed_clipboard);
  if (end_step_.run(seq, attempt.step, word(ended.step_state), ended.counted, ended.elapsed, ended.next_at,
                    checkpoint) == 0) {
    throw missing(attempt.run, attempt.step);
  }
  if (!attempt.log.empty()) add_log_.run(seq, attempt.step, attempt.number, attempt.log);
  if (attempt.outcome == Outcome::Succeeded) remember_duration(seq, ended);
}

void Writer::remember_duration(std::int64_t run, const AttemptEnded& ended) {
  const AttemptRecord& attempt = ended.attempt;
  if (!attempt.ended) return;
  std::string provider;
  std::string task;
  bool plan_mode = false;
  find_task_.each(
      [&](Row& row) {
        provider = row.text();
        task = row.text();
        plan_mode = row.flag();
      },
      run, attempt.step);
  if (plan_mode) return;
  // A step that waited took longer than its last attempt.
  const auto took =
      std::max(ended.elapsed, std::chrono::duration_cast<std::chrono::milliseconds>(*attempt.ended - attempt.started));
  add_took_.run(provider, task, *attempt.ended, took);
}

void Writer::put(const StepChanged& changed) {
  const std::int64_t seq = seq_of(changed.run);
  if (change_step_.run(seq, changed.step, word(changed.state), changed.because, changed.counted, changed.elapsed) ==
      0) {
    throw missing(changed.run, changed.step);
  }
}

void Writer::put(const RunChanged& changed) {
  const std::int64_t seq = seq_of(changed.run);
  const auto update = [&](Statement& statement) {
    return statement.run(seq, word(changed.state), word(changed.resume_as), changed.error, changed.ended,
                         changed.stage_number, changed.stage, changed.task, changed.confirm, changed.confirm_until);
  };
  // Mostly only the place changes; naming the state would rewrite the index of unfinished runs each time.
  if (update(move_run_) == 0) update(change_run_);
  if (changed.asker) set_asker_.run(seq, *changed.asker);
}

}  // namespace jarvis::pipeline::sqlite
