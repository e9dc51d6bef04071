"""vSphere by somebody else's client, pyVmomi: what it sees of the API that jarvis speaks to."""
import ssl
import urllib.parse


class Refused(Exception):
    """A fault: `kind` is its type, DuplicateName."""

    def __init__(self, fault):
        self.kind = type(fault).__name__.rpartition(".")[2]
        super().__init__(f"{self.kind}: {getattr(fault, 'msg', fault)}")


class VmwareClient:
    """`content`: pyVmomi's ServiceContent, logged in."""

    def __init__(self, url, user, password, ca):
        # Here, because every scenario's module is read before one is chosen, and this one takes a while.
        from pyVim.connect import SmartConnect
        from pyVmomi import vim, vmodl
        self.vim, self.faults = vim, (vmodl.MethodFault,)
        where = urllib.parse.urlsplit(url)
        self._service = self.call(lambda: SmartConnect(
            host=where.hostname, port=where.port, user=user, pwd=password, sslContext=ssl.create_default_context(cafile=str(ca))))
        self.content = self._service.RetrieveContent()

    def call(self, function):
        """What it returns, of a task its result; Refused for a fault."""
        try:
            result = function()
            if not isinstance(result, self.vim.Task):
                return result
            while result.info.state in ("queued", "running"):
                pass
            if result.info.state == "error":
                raise Refused(result.info.error)
            return result.info.result
        except self.faults as fault:
            raise Refused(fault) from None

    def find(self, path):
        """By inventory path, DC0/vm/loki; None when there is none."""
        return self.content.searchIndex.FindByInventoryPath(path)

    def updates(self, machines):
        """Their names, by a property filter and WaitForUpdatesEx."""
        from pyVmomi import vmodl
        query = vmodl.query.PropertyCollector
        spec = query.FilterSpec(objectSet=[query.ObjectSpec(obj=one) for one in machines],
                                propSet=[query.PropertySpec(type=self.vim.VirtualMachine, pathSet=["name"])])
        made = self.content.propertyCollector.CreateFilter(spec, False)
        seen = self.content.propertyCollector.WaitForUpdatesEx("", query.WaitOptions(maxWaitSeconds=1))
        made.Destroy()
        return [change.val for one in seen.filterSet for thing in one.objectSet for change in thing.changeSet]

    def disk(self, kb, key=-100):
        vim = self.vim
        scsi = vim.vm.device.VirtualDeviceSpec(operation="add", device=vim.vm.device.ParaVirtualSCSIController(
            key=key, busNumber=0, sharedBus="noSharing"))
        backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(diskMode="persistent", fileName="")
        disk = vim.vm.device.VirtualDeviceSpec(operation="add", fileOperation="create", device=vim.vm.device.VirtualDisk(
            key=key - 1, controllerKey=key, unitNumber=0, capacityInKB=kb, backing=backing))
        return [scsi, disk]

    def config(self, name, datastore="LocalDS_0", kb=0, **more):
        vim = self.vim
        return vim.vm.ConfigSpec(name=name, files=vim.vm.FileInfo(vmPathName=f"[{datastore}]"), numCPUs=2, memoryMB=512,
                                 guestId="debian11_64Guest", deviceChange=self.disk(kb) if kb else [], **more)

    def options(self, **values):
        return [self.vim.option.OptionValue(key=key.replace("_", "."), value=value) for key, value in values.items()]
