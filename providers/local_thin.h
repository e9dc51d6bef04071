// The flavour `thin`: the machine's own /usr read-only, a generated /etc, its own /var /root /home /tmp, and an sshd.
// No download, 0.3 MB of disk, a fraction of a second. The disk is filled in local_thin_disk.cc, entered and run in
// local_thin.cc.
#pragma once

#include <string>

#include "providers/local_flavour.h"

namespace jarvis::providers {

// Everything is owned by the caller afterwards; who maps ids gives it away. Error(Permanent) if this machine lacks a
// program.
std::string fill_thin_disk(const NewDisk& disk);
void enter_thin_disk(const Boot& boot);
void run_thin(const Boot& boot);

}  // namespace jarvis::providers
