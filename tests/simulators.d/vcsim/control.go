package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Control answers tests, in JSON:
//
//	GET    /machines          id, name, uuid, power, cpus, memory (MB), extra_config, disks, macs, networks ... of each
//	POST   /machines/ID       {"name": TEXT, "address": TEXT, "power": "on" or "off", "extra_config": {KEY: TEXT}, "deaf": true}
//	DELETE /machines/ID       powers off and destroys
//	GET    /datastores        name, capacity, free
//	POST   /datastores/NAME   {"free": BYTES}
//	POST   /expire            ends every session
type Control struct {
	simulated *Simulated
	front     *Front
}

type disk struct {
	File string `json:"file"`
	KB   int64  `json:"kb"`
	Thin bool   `json:"thin"`
}

type machine struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	UUID        string            `json:"uuid"`
	GuestID     string            `json:"guest_id"`
	Template    bool              `json:"template"`
	Power       string            `json:"power"`
	CPUs        int32             `json:"cpus"`
	Memory      int32             `json:"memory"`
	Annotation  string            `json:"annotation"`
	Address     string            `json:"address"`
	Folder      string            `json:"folder"`
	Pool        string            `json:"pool"`
	Host        string            `json:"host"`
	Path        string            `json:"path"`
	ExtraConfig map[string]string `json:"extra_config"`
	Disks       []disk            `json:"disks"`
	MACs        []string          `json:"macs"`
	Networks    []string          `json:"networks"`
}

type change struct {
	Name        string            `json:"name"`
	Address     string            `json:"address"`
	Power       string            `json:"power"`
	ExtraConfig map[string]string `json:"extra_config"`
	Deaf        bool              `json:"deaf"`
	Free        *int64            `json:"free"`
}

func (c *Control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what, which, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	answer, err := c.answer(r, what, which)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (c *Control) answer(r *http.Request, what, which string) (interface{}, error) {
	ctx := r.Context()
	var wanted change
	if r.Method == http.MethodPost && r.ContentLength != 0 {
		if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
			return nil, err
		}
	}
	reference := types.ManagedObjectReference{Type: "VirtualMachine", Value: which}
	switch r.Method + " " + what {
	case "GET machines":
		return c.machines(ctx)
	case "POST machines":
		return nil, c.changeMachine(ctx, reference, wanted)
	case "DELETE machines":
		return nil, c.destroy(ctx, reference)
	case "GET datastores":
		return c.datastores(ctx)
	case "POST datastores":
		if wanted.Free == nil {
			return nil, fmt.Errorf("free is missing")
		}
		return nil, c.simulated.setFree(which, *wanted.Free)
	case "POST expire":
		c.front.Expire()
		return nil, nil
	}
	return nil, fmt.Errorf("%s %s: there is no such thing", r.Method, r.URL.Path)
}

func (c *Control) machines(ctx context.Context) ([]machine, error) {
	found, err := c.simulated.machines(ctx)
	shown := []machine{}
	for _, one := range found {
		if one.Config != nil {
			shown = append(shown, show(one))
		}
	}
	return shown, err
}

func show(one mo.VirtualMachine) machine {
	shown := machine{ID: one.Self.Value, Name: one.Name, UUID: one.Config.Uuid, GuestID: one.Config.GuestId,
		Template: one.Config.Template, Power: string(one.Runtime.PowerState),
		CPUs: one.Config.Hardware.NumCPU, Memory: one.Config.Hardware.MemoryMB,
		Annotation: one.Config.Annotation, Path: one.Config.Files.VmPathName,
		ExtraConfig: map[string]string{}}
	if one.Parent != nil {
		shown.Folder = one.Parent.Value
	}
	if one.ResourcePool != nil {
		shown.Pool = one.ResourcePool.Value
	}
	if one.Runtime.Host != nil {
		shown.Host = one.Runtime.Host.Value
	}
	if one.Guest != nil {
		shown.Address = one.Guest.IpAddress
	}
	for _, option := range one.Config.ExtraConfig {
		shown.ExtraConfig[option.GetOptionValue().Key] = fmt.Sprint(option.GetOptionValue().Value)
	}
	for _, device := range one.Config.Hardware.Device {
		switch kind := device.(type) {
		case *types.VirtualDisk:
			shown.Disks = append(shown.Disks, showDisk(kind))
		case types.BaseVirtualEthernetCard:
			card := kind.GetVirtualEthernetCard()
			shown.MACs = append(shown.MACs, card.MacAddress)
			if backing, ok := card.Backing.(*types.VirtualEthernetCardNetworkBackingInfo); ok {
				shown.Networks = append(shown.Networks, backing.DeviceName)
			} else if backing, ok := card.Backing.(*types.VirtualEthernetCardDistributedVirtualPortBackingInfo); ok {
				shown.Networks = append(shown.Networks, backing.Port.PortgroupKey)
			}
		}
	}
	return shown
}

func showDisk(one *types.VirtualDisk) disk {
	shown := disk{KB: one.CapacityInKB}
	if backing, ok := one.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
		shown.File = backing.FileName
		shown.Thin = backing.ThinProvisioned != nil && *backing.ThinProvisioned
	}
	return shown
}

func (c *Control) changeMachine(ctx context.Context, reference types.ManagedObjectReference, wanted change) error {
	if wanted.Name != "" || len(wanted.ExtraConfig) > 0 {
		spec := types.VirtualMachineConfigSpec{Name: wanted.Name}
		for key, value := range wanted.ExtraConfig {
			spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: key, Value: value})
		}
		if err := c.simulated.reconfigure(ctx, reference, spec); err != nil {
			return err
		}
	}
	if wanted.Address != "" {
		if err := c.simulated.setAddress(ctx, reference, wanted.Address); err != nil {
			return err
		}
	}
	if wanted.Deaf {
		c.front.Deafen(reference.Value)
	}
	if wanted.Power != "" {
		return c.power(ctx, reference, wanted.Power == "on")
	}
	return nil
}

func (c *Control) power(ctx context.Context, reference types.ManagedObjectReference, on bool) error {
	machine := object.NewVirtualMachine(c.simulated.admin.Client, reference)
	order := machine.PowerOff
	if on {
		order = machine.PowerOn
	}
	task, err := order(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	return err
}

func (c *Control) destroy(ctx context.Context, reference types.ManagedObjectReference) error {
	_ = c.power(ctx, reference, false) // it may be off
	task, err := object.NewVirtualMachine(c.simulated.admin.Client, reference).Destroy(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	return err
}

func (c *Control) datastores(ctx context.Context) ([]map[string]interface{}, error) {
	found, err := c.simulated.datastores(ctx)
	shown := []map[string]interface{}{}
	for _, one := range found {
		shown = append(shown, map[string]interface{}{"name": one.Name, "capacity": one.Summary.Capacity, "free": one.Summary.FreeSpace})
	}
	return shown, err
}

func (s *Simulated) all(ctx context.Context, kind string, paths []string, into interface{}) error {
	container, err := view.NewManager(s.admin.Client).CreateContainerView(ctx, s.admin.ServiceContent.RootFolder, []string{kind}, true)
	if err != nil {
		return err
	}
	defer func() { _ = container.Destroy(ctx) }()
	return container.Retrieve(ctx, []string{kind}, paths, into)
}

func (s *Simulated) machines(ctx context.Context) (found []mo.VirtualMachine, err error) {
	err = s.all(ctx, "VirtualMachine", []string{"name", "parent", "config", "runtime.powerState", "runtime.host", "guest.ipAddress",
		"resourcePool"}, &found)
	return found, err
}

func (s *Simulated) datastores(ctx context.Context) (found []mo.Datastore, err error) {
	err = s.all(ctx, "Datastore", []string{"name", "summary"}, &found)
	return found, err
}

// setAddress lets the guest's tools report an address; without one they do not run.
func (s *Simulated) setAddress(ctx context.Context, reference types.ManagedObjectReference, address string) error {
	tools := types.VirtualMachineToolsRunningStatusGuestToolsRunning
	if address == "" {
		tools = types.VirtualMachineToolsRunningStatusGuestToolsNotRunning
	}
	spec := types.VirtualMachineConfigSpec{ExtraConfig: []types.BaseOptionValue{
		&types.OptionValue{Key: "SET.guest.ipAddress", Value: address},
		&types.OptionValue{Key: "SET.guest.toolsRunningStatus", Value: string(tools)}}}
	return s.reconfigure(ctx, reference, spec)
}
