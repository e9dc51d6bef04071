// pxe:links_install, links_menu and links_remove: which boot menu pxelinux shows to a host. Either jarvis keeps the
// links itself (pxe.tftp_root, a TFTP root of this machine), or it asks the URL that makes whoever owns them look again
// (`dhcplinks`, on the list pxe.dhcplinks). Both ways end by reading the menu as the host will, by TFTP from
// next-server, and are not done before it is the right one (exit 75).
#pragma once

#include "workers/worker.h"

namespace jarvis::workers {

void links_install(Call& call);
void links_menu(Call& call);
void links_remove(Call& call);

}  // namespace jarvis::workers
