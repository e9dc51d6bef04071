// What ssh:mount makes true on a host: a disk has a file system, a line in /etc/fstab, and is mounted. Each is looked
// at, changed only if it is not so, and read back; what was begun and cut short is gone on with. Nothing that carries
// a signature of any kind is ever made anew, but for a file system of our own that was cut short in the making (its
// label says so until it is done) and was never mounted. Knows no clipboard and no connection.
#pragma once

#include <string>
#include <vector>

#include "workers/mounts.h"
#include "workers/remote.h"

namespace jarvis::workers {

// `devices`: where it may be, the first that is there is taken. not_yet() while none is, or while an attempt of before
// is still at work on it; Error(Permanent) for what is in the way.
void mount_disk(RemoteHost& host, const Mount& mount, const std::vector<std::string>& devices);

}  // namespace jarvis::workers
