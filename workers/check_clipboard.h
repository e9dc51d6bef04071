// jarvis:check_clipboard. The check of a clipboard over 64 KiB, which the loop does not do itself. No step of a plan.
// Reads the clipboard as any task does (so its checks are Clipboard::parse) and ends well; a bad one fails with the
// reason.
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

void check_clipboard(Call& call);

}  // namespace jarvis::workers
