// vcsim is the vCenter or ESXi of the tests: govmomi's simulator behind a front that makes up for what it lacks (front.go), and
// a control port by which a test looks behind the curtain (control.go). It prints one line of JSON when it is ready.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// Simulated is one simulated vCenter or ESXi, with a session of our own in it.
type Simulated struct {
	model *simulator.Model
	admin *govmomi.Client
	esx   bool
}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "vcsim: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func main() {
	kind := flag.String("model", "vpx", "vpx (a vCenter) or esx (a single ESXi)")
	listen := flag.String("listen", "127.0.0.1:0", "where the API is")
	control := flag.String("control", "127.0.0.1:0", "where the test looks behind the curtain")
	certificate := flag.String("certificate", "", "PEM file; without one the API is plain HTTP")
	key := flag.String("key", "", "PEM file")
	user := flag.String("user", "jarvis", "who may log in; the password is VCSIM_PASSWORD of the environment")
	templates := flag.String("templates", "", "names of templates, separated by commas")
	datastores := flag.Int("datastores", 2, "how many")
	machines := flag.Int("machines", 1, "how many in each pool, besides templates")
	addresses := flag.String("addresses", "", "a prefix (10.1.2.): what is powered on gets an address of it")
	flag.Parse()

	simulated := &Simulated{esx: *kind == "esx", model: simulator.VPX()}
	if simulated.esx {
		simulated.model = simulator.ESX()
	}
	names := strings.FieldsFunc(*templates, func(r rune) bool { return r == ',' })
	simulated.model.Datastore = *datastores
	simulated.model.Machine = *machines + len(names)
	simulated.prepare()
	check("the model", simulated.model.Create())
	defer simulated.model.Remove()
	simulated.mountEverywhere()
	simulated.model.Service.RegisterEndpoints = true
	simulated.model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(*user, os.Getenv("VCSIM_PASSWORD"))}
	server := simulated.model.Service.NewServer()
	admin, err := govmomi.NewClient(context.Background(), server.URL, true)
	check("logging in", err)
	simulated.admin = admin
	check("templates", simulated.makeTemplates(names))

	front := NewFront(simulated, httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: server.URL.Host}), *addresses)
	api, err := net.Listen("tcp", *listen)
	check("the API", err)
	scheme := "http"
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		check("the certificate", err)
		api, scheme = tls.NewListener(api, &tls.Config{Certificates: []tls.Certificate{pair}}), "https"
	}
	curtain, err := net.Listen("tcp", *control)
	check("the control port", err)
	quiet := log.New(discard{}, "", 0) // of clients that end a handshake, which tests are about
	go func() { check("the API", (&http.Server{Handler: front, ErrorLog: quiet}).Serve(api)) }()
	go func() { check("the control port", http.Serve(curtain, &Control{simulated, front})) }()

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	check("ready", json.NewEncoder(os.Stdout).Encode(map[string]string{
		"url": scheme + "://" + api.Addr().String() + "/sdk", "control": "http://" + curtain.Addr().String(),
		"version": admin.ServiceContent.About.Version}))
	<-ended
}

type discard struct{}

func (discard) Write(text []byte) (int, error) { return len(text), nil }

// makeTemplates turns the first machines into templates of these names.
func (s *Simulated) makeTemplates(names []string) error {
	ctx := context.Background()
	machines, err := s.machines(ctx)
	if err != nil {
		return err
	}
	sort.Slice(machines, func(a, b int) bool { return machines[a].Name < machines[b].Name })
	if len(names) > len(machines) {
		return fmt.Errorf("%d templates of %d machines", len(names), len(machines))
	}
	for number, name := range names {
		machine := object.NewVirtualMachine(s.admin.Client, machines[number].Self)
		task, err := machine.PowerOff(ctx)
		if err == nil {
			err = task.Wait(ctx)
		}
		if err == nil {
			err = s.reconfigure(ctx, machine.Reference(), types.VirtualMachineConfigSpec{Name: name})
		}
		if err == nil {
			err = machine.MarkAsTemplate(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reconfigure changes a machine in our own session.
func (s *Simulated) reconfigure(ctx context.Context, machine types.ManagedObjectReference,
	spec types.VirtualMachineConfigSpec) error {
	task, err := object.NewVirtualMachine(s.admin.Client, machine).Reconfigure(ctx, spec)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err == nil {
		s.tidyExtraConfig(machine)
	}
	return err
}
