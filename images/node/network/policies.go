package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

// queue is where the kernel asks about the first packet of a connection.
const queue = 113

// refusedTable is longer than a table's name may be, so that the engine has no rules of its own. It would make them anew
// at each change of a pod, and a hook that goes takes along, dropped, all packets that the kernel is asking about
// (nf_queue_nf_hook_drop): whoever began a connection just then would wait a second until its next packet.
var refusedTable = strings.Repeat("-", 512)

type policies struct {
	controller *networkpolicy.Controller
	// byIptables is whether the kernel asks by the rule of iptables, and not by those of the engine.
	byIptables bool
}

// newPolicies uses the engine that is in kindest/node too. What runs while it does not is let through: a cluster for
// one developer must not stand still for want of it, and whether policies are enforced is probed from outside.
func newPolicies(
	client kubernetes.Interface,
	objects informers.SharedInformerFactory,
	nodeName string,
) (*policies, error) {
	config := networkpolicy.Config{NodeName: nodeName, QueueID: queue, FailOpen: true, NetfilterBug1766Fix: true}
	err := queueByIptables()
	byIptables := err == nil
	if byIptables {
		leaveOutSync()
		config.NFTableName = refusedTable
	} else if nftables := canQueue(); nftables != nil {
		log.Printf("the kernel cannot ask about packets, by iptables (%v) or nftables (%v)", err, nftables)
	}
	controller, err := networkpolicy.NewController(
		client,
		objects.Networking().V1().NetworkPolicies(),
		objects.Core().V1().Namespaces(),
		objects.Core().V1().Pods(),
		nil, nil, nil, nil,
		config,
	)
	if err != nil {
		return nil, err
	}
	return &policies{controller, byIptables}, nil
}

// settle adds the rule again that another program has flushed: without it no connection is asked about.
func (p *policies) settle() error {
	if !p.byIptables {
		return nil
	}
	return queueByIptables()
}

// leaveOutSync makes everything that is logged go through withoutSync, once.
func leaveOutSync() {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	if err := flags.Parse([]string{"-logtostderr=false", "-stderrthreshold=FATAL", "-one_output"}); err != nil {
		log.Print(err)
	}
	klog.SetOutput(withoutSync{os.Stderr})
}

// withoutSync is what is logged, less the engine's complaints that its own rules cannot be made.
type withoutSync struct{ io.Writer }

func (w withoutSync) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("yncing")) || bytes.Contains(line, []byte("netlink receive")) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}

// run returns when the context ends, or when the kernel's questions cannot be heard.
func (p *policies) run(ctx context.Context) {
	if err := p.controller.Run(ctx); err != nil {
		log.Printf("NetworkPolicies are not enforced: %v", err)
	}
}

// canQueue tries the one expression that the engine's own rules need and not every kernel has (CONFIG_NFT_QUEUE).
func canQueue() error {
	kernel, err := nftables.New()
	if err != nil {
		return err
	}
	table := kernel.AddTable(&nftables.Table{Name: "wealist-trial", Family: nftables.TableFamilyIPv4})
	chain := kernel.AddChain(&nftables.Chain{Name: "trial", Table: table})
	kernel.AddRule(&nftables.Rule{
		Table: table,
		Chain: chain,
		Exprs: []expr.Any{&expr.Queue{Num: queue, Flag: expr.QueueFlagBypass}},
	})
	if err := kernel.Flush(); err != nil {
		return fmt.Errorf("queue expression: %w", err)
	}
	kernel.DelTable(table)
	return kernel.Flush()
}

// queueByIptables asks about every new connection that a node forwards: those of pods, after the address of a Service
// became that of a pod. A node's own, such as the kubelet's probes, are not among them.
func queueByIptables() error {
	return ensureRule("mangle", "FORWARD",
		"--match", "conntrack", "--ctstate", "NEW",
		"--jump", "NFQUEUE", "--queue-num", strconv.Itoa(queue), "--queue-bypass")
}
