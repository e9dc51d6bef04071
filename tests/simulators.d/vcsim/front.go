package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Front stands before the simulator's API and makes it do as the real one does, where tests need it:
//   - a second machine of the same name in a folder ends in DuplicateName (the simulator accepts it);
//   - CloneVM_Task honours spec.config (extraConfig, CPUs, memory, annotation) and spec.powerOn (the simulator drops both), and
//     nobody sees the clone before it is whole;
//   - an ESXi without vCenter refuses CloneVM_Task with NotSupported (the simulator clones);
//   - a disk that is larger than the free space of its datastore ends in NoDiskSpace, thin ones too;
//   - what is powered on gets an address from its guest's tools, when a prefix was given; what is off has neither;
//   - a guest without running tools cannot be shut down (ToolsUnavailable), and one that the test made deaf only seems to;
//   - sessions can be ended by the test.
type Front struct {
	simulated *Simulated
	behind    http.Handler
	prefix    string
	sight     sync.RWMutex // held alone while a machine is being made

	lock    sync.Mutex
	number  int             // of addresses given
	deaf    map[string]bool // machines whose guest ignores a shutdown
	expired map[string]bool // session cookies
	seen    map[string]bool
}

// NewFront makes one; `behind` is the simulator.
func NewFront(simulated *Simulated, behind http.Handler, prefix string) *Front {
	return &Front{simulated: simulated, behind: behind, prefix: prefix, number: 9, deaf: map[string]bool{},
		expired: map[string]bool{}, seen: map[string]bool{}}
}

var operation = regexp.MustCompile(`<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)`)

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.forgetExpired(r)
	name := ""
	if found := operation.FindSubmatch(body); found != nil && r.Method == http.MethodPost {
		name = string(found[1])
	}
	switch name {
	case "CreateVM_Task", "CloneVM_Task", "PowerOnVM_Task", "PowerOffVM_Task", "ReconfigVM_Task", "Destroy_Task", "ShutdownGuest":
		f.sight.Lock()
		defer f.sight.Unlock()
		f.change(w, r, name, body)
	case "WaitForUpdatesEx", "WaitForUpdates": // may last
		f.pass(w, r, body)
	default:
		f.sight.RLock()
		defer f.sight.RUnlock()
		f.pass(w, r, body)
	}
}

func (f *Front) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	again := r.Clone(r.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	f.behind.ServeHTTP(w, again)
}

// change passes on what makes or alters a machine, and adds what is missing before the client gets its answer.
func (f *Front) change(w http.ResponseWriter, r *http.Request, name string, body []byte) {
	method, err := simulator.UnmarshalBody(types.TypeFunc(), body)
	if err != nil {
		f.pass(w, r, body)
		return
	}
	if fault := f.refusal(r.Context(), method); fault != nil {
		if refused := f.unauthenticated(r); refused != nil {
			copyReply(w, refused)
			return
		}
		switch fault.(type) {
		case *types.NotSupported:
			sayFault(w, "NotSupported", "The operation is not supported on the object.")
		case *types.ToolsUnavailable:
			sayFault(w, "ToolsUnavailable", "Cannot complete operation because VMware Tools is not running in this virtual machine.")
		default:
			sayTask(w, name, f.simulated.failedTask(method.This, name, fault))
		}
		return
	}
	if name == "ShutdownGuest" && f.isDeaf(method.This) && f.unauthenticated(r) == nil {
		say(w, `<ShutdownGuestResponse xmlns="urn:vim25"></ShutdownGuestResponse>`)
		return
	}
	reply := httptest.NewRecorder()
	f.pass(reply, r, body)
	if reply.Code == http.StatusOK {
		f.complete(r.Context(), method, reply.Body.Bytes())
	}
	copyReply(w, reply)
}

// refusal says why the real one would not do it, or nil.
func (f *Front) refusal(ctx context.Context, method *simulator.Method) types.BaseMethodFault {
	switch request := method.Body.(type) {
	case *types.CreateVM_Task:
		where, disks := datastoreOf(request.Config.Files), addedDisks(request.Config.DeviceChange)
		return f.refuseMachine(ctx, method.This, request.Config.Name, where, disks)
	case *types.CloneVM_Task:
		if f.simulated.esx {
			return new(types.NotSupported)
		}
		var source mo.VirtualMachine
		if f.read(ctx, method.This, []string{"config"}, &source) != nil || source.Config == nil {
			return nil // the simulator says why
		}
		disks := diskSizes(source.Config.Hardware.Device)
		if request.Spec.Config != nil {
			disks = append(disks, addedDisks(request.Spec.Config.DeviceChange)...)
		}
		where := datastoreOf(&source.Config.Files)
		if reference := request.Spec.Location.Datastore; reference != nil {
			var datastore mo.Datastore
			if f.read(ctx, *reference, []string{"name"}, &datastore) != nil {
				return nil
			}
			where = datastore.Name
		}
		return f.refuseMachine(ctx, request.Folder, request.Name, where, disks)
	case *types.ReconfigVM_Task:
		var machine mo.VirtualMachine
		if f.read(ctx, method.This, []string{"config.files"}, &machine) != nil || machine.Config == nil {
			return nil
		}
		return f.refuseDisks(ctx, datastoreOf(&machine.Config.Files), addedDisks(request.Spec.DeviceChange))
	case *types.ShutdownGuest:
		var machine mo.VirtualMachine
		if f.read(ctx, method.This, []string{"runtime.powerState", "guest.toolsRunningStatus"}, &machine) != nil {
			return nil
		}
		tools := string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
		running := machine.Guest != nil && machine.Guest.ToolsRunningStatus == tools
		if machine.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn && !running {
			return new(types.ToolsUnavailable)
		}
	}
	return nil
}

func (f *Front) refuseMachine(ctx context.Context, folder types.ManagedObjectReference, name, datastore string,
	disks []int64) types.BaseMethodFault {
	other, err := object.NewSearchIndex(f.simulated.admin.Client).FindChild(ctx, folder, name)
	if err == nil && other != nil {
		return &types.DuplicateName{Name: name, Object: other.Reference()}
	}
	return f.refuseDisks(ctx, datastore, disks)
}

func (f *Front) refuseDisks(ctx context.Context, name string, disks []int64) types.BaseMethodFault {
	datastores, err := f.simulated.datastores(ctx)
	if err != nil {
		return nil
	}
	for _, datastore := range datastores {
		if datastore.Name != name {
			continue
		}
		free := datastore.Summary.FreeSpace
		for _, size := range disks {
			if free -= size; free < 0 {
				return &types.NoDiskSpace{FileFault: types.FileFault{File: "[" + name + "]"}, Datastore: name}
			}
		}
	}
	return nil
}

// complete does after an accepted call what the simulator left out.
func (f *Front) complete(ctx context.Context, method *simulator.Method, reply []byte) {
	if _, ok := method.Body.(*types.ShutdownGuest); ok {
		f.takeAddress(ctx, method.This)
		return
	}
	found := regexp.MustCompile(`<returnval[^>]*>([^<]+)<`).FindSubmatch(reply)
	if found == nil {
		return
	}
	info, err := object.NewTask(f.simulated.admin.Client, types.ManagedObjectReference{Type: "Task", Value: string(found[1])}).
		WaitForResult(ctx, nil)
	if err != nil {
		return // the client reads it from the task
	}
	switch request := method.Body.(type) {
	case *types.CloneVM_Task:
		clone := info.Result.(types.ManagedObjectReference)
		f.configure(ctx, clone, request.Spec.Config)
		if request.Spec.PowerOn && !request.Spec.Template {
			if task, err := object.NewVirtualMachine(f.simulated.admin.Client, clone).PowerOn(ctx); err == nil && task.Wait(ctx) == nil {
				f.giveAddress(ctx, clone)
			}
		}
	case *types.CreateVM_Task:
		rest := &types.VirtualMachineConfigSpec{ExtraConfig: request.Config.ExtraConfig}
		f.configure(ctx, info.Result.(types.ManagedObjectReference), rest)
	case *types.ReconfigVM_Task:
		f.simulated.tidyExtraConfig(method.This)
	case *types.PowerOnVM_Task:
		f.giveAddress(ctx, method.This)
	case *types.PowerOffVM_Task:
		f.takeAddress(ctx, method.This)
	}
}

func (f *Front) configure(ctx context.Context, machine types.ManagedObjectReference, wanted *types.VirtualMachineConfigSpec) {
	if wanted == nil {
		return
	}
	spec := *wanted
	spec.DeviceChange, spec.Files, spec.Name = nil, nil, ""
	if err := f.simulated.reconfigure(ctx, machine, spec); err != nil {
		fmt.Println("vcsim: a clone's configuration:", err)
	}
}

func (f *Front) giveAddress(ctx context.Context, machine types.ManagedObjectReference) {
	if f.prefix == "" {
		return
	}
	f.lock.Lock()
	f.number++
	address := fmt.Sprintf("%s%d", f.prefix, f.number)
	f.lock.Unlock()
	if err := f.simulated.setAddress(ctx, machine, address); err != nil {
		fmt.Println("vcsim: an address:", err)
	}
}

func (f *Front) takeAddress(ctx context.Context, machine types.ManagedObjectReference) {
	if err := f.simulated.setAddress(ctx, machine, ""); err != nil {
		fmt.Println("vcsim: an address:", err)
	}
}

// Deafen lets a machine's guest ignore that it is to shut down.
func (f *Front) Deafen(machine string) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.deaf[machine] = true
}

func (f *Front) isDeaf(machine types.ManagedObjectReference) bool {
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.deaf[machine.Value]
}

func (f *Front) read(ctx context.Context, reference types.ManagedObjectReference, paths []string, into interface{}) error {
	return property.DefaultCollector(f.simulated.admin.Client).RetrieveOne(ctx, reference, paths, into)
}

// unauthenticated asks the simulator something harmless with the client's own session: its answer when that is refused.
func (f *Front) unauthenticated(r *http.Request) *httptest.ResponseRecorder {
	const ask = `<?xml version="1.0"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>` +
		`<CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime></Body></Envelope>`
	reply := httptest.NewRecorder()
	f.pass(reply, r, []byte(ask))
	if reply.Code == http.StatusOK {
		return nil
	}
	return reply
}

func (f *Front) forgetExpired(r *http.Request) {
	cookie, err := r.Cookie("vmware_soap_session")
	if err != nil {
		return
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	f.seen[cookie.Value] = true
	if f.expired[cookie.Value] {
		r.Header.Del("Cookie")
	}
}

// Expire ends every session that was used so far, but ours.
func (f *Front) Expire() {
	f.lock.Lock()
	defer f.lock.Unlock()
	for cookie := range f.seen {
		f.expired[cookie] = true
	}
}

func datastoreOf(files *types.VirtualMachineFileInfo) string {
	if files == nil {
		return ""
	}
	return strings.TrimPrefix(strings.SplitN(files.VmPathName, "]", 2)[0], "[")
}

func addedDisks(changes []types.BaseVirtualDeviceConfigSpec) []int64 {
	var added []types.BaseVirtualDevice
	for _, change := range changes {
		if spec := change.GetVirtualDeviceConfigSpec(); spec.Operation == types.VirtualDeviceConfigSpecOperationAdd {
			added = append(added, spec.Device)
		}
	}
	return diskSizes(added)
}

func diskSizes(devices []types.BaseVirtualDevice) []int64 {
	var sizes []int64
	for _, device := range devices {
		if disk, ok := device.(*types.VirtualDisk); ok {
			size := disk.CapacityInKB * 1024
			if disk.CapacityInBytes > size {
				size = disk.CapacityInBytes
			}
			sizes = append(sizes, size)
		}
	}
	return sizes
}

func copyReply(w http.ResponseWriter, reply *httptest.ResponseRecorder) {
	for name, values := range reply.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(reply.Code)
	_, _ = w.Write(reply.Body.Bytes())
}

const envelope = xml.Header + `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" ` +
	`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`

func sayFault(w http.ResponseWriter, kind, text string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(w, envelope, fmt.Sprintf(`<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>%s</faultstring><detail>`+
		`<%sFault xmlns="urn:vim25" xsi:type="%s"></%sFault></detail></soapenv:Fault>`, text, kind, kind, kind))
}

func sayTask(w http.ResponseWriter, name string, task types.ManagedObjectReference) {
	say(w, fmt.Sprintf(`<%sResponse xmlns="urn:vim25"><returnval type="Task">%s</returnval></%sResponse>`, name, task.Value, name))
}

func say(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	fmt.Fprintf(w, envelope, body)
}
