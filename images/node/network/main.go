// network connects the pods of a cluster's nodes and enforces NetworkPolicies; one runs on each node. It gives the
// container runtime's plug-ins the node's own range, routes to the ranges of the other nodes, wherever those are now,
// and decides about each new connection of a pod.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// settleAgain is how often what another program may have undone is looked at.
const settleAgain = time.Minute

func main() {
	podSubnet := flag.String("pod-subnet", "10.244.0.0/16", "the range of all pods")
	nodeName := flag.String("node", "", "the name of this node")
	// A Service's address leads nowhere until kube-proxy has heard of it, and that takes a second.
	apiServer := flag.String("api-server", "", "host and port of the API server")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *podSubnet, *nodeName, *apiServer); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, podSubnet, nodeName, apiServer string) error {
	_, pods, err := net.ParseCIDR(podSubnet)
	if err != nil {
		return err
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	if apiServer != "" {
		config.Host = "https://" + apiServer
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	objects := informers.NewSharedInformerFactory(client, 0)
	nodes := objects.Core().V1().Nodes()

	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if _, err := nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}); err != nil {
		return err
	}
	policies, err := newPolicies(client, objects, nodeName)
	if err != nil {
		return err
	}
	objects.Start(ctx.Done())
	go policies.run(ctx)

	network := network{name: nodeName, pods: pods, nodes: nodes.Lister()}
	again := time.NewTicker(settleAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-again.C:
		}
		if err := errors.Join(network.settle(), policies.settle()); err != nil {
			log.Printf("the pods' network: %v", err)
			time.AfterFunc(time.Second, notify)
		}
	}
}
