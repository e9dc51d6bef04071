// spec:fetch. Fetches the text of a spec from the URL that a person gave, under the operator's rules (DESIGN 4.3): only
// https, only what `fetch.allow` lists (every redirect too), no address that is not of the public Internet unless
// `fetch.private` lists it, bounded in size, time and redirects. http is asked on this machine only, where the list
// names such a URL. The text is handed on byte by byte; whether it is a spec is for the reader of specs to say.
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

// Needs spec_url; gives spec_text and spec_source (the URL that the text came from). Settings: FETCH_ALLOW,
// FETCH_PRIVATE (lists with blanks between), FETCH_MAX_BYTES, FETCH_TIMEOUT (milliseconds), FETCH_CA_FILE.
void spec_fetch(Call& call);

}  // namespace jarvis::workers
