package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// routeOrigin marks our routes in the kernel's table: a number that no program of rt_protos has.
const routeOrigin = netlink.RouteProtocol(113)

// pluginsFile is where the container runtime looks for the pods' network.
const pluginsFile = "/etc/cni/net.d/10-wealist.conflist"

// pluginsFormat needs the node's range. A pod's address is hidden only from what is no pod: other nodes must see whose
// a connection is, and ptp's own masquerade knows this node's range only.
const pluginsFormat = `{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "mtu": 1400,
      "ipam": {
        "type": "host-local",
        "ranges": [[{ "subnet": %q }]],
        "routes": [{ "dst": "0.0.0.0/0" }]
      }
    },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
`

type network struct {
	name  string
	pods  *net.IPNet
	nodes corelisters.NodeLister
}

// settle makes the node's network what the list of nodes says; what is right already stays as it is.
func (n *network) settle() error {
	all, err := n.nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	wanted := map[string]net.IP{}
	for _, node := range all {
		if node.Name == n.name {
			if err := writePlugins(node.Spec.PodCIDR); err != nil {
				return err
			}
			continue
		}
		if address := addressOf(node); address != nil && node.Spec.PodCIDR != "" {
			wanted[node.Spec.PodCIDR] = address
		}
	}
	return errors.Join(n.masquerade(), setRoutes(wanted))
}

// writePlugins renames the file into its place: the runtime reads it as soon as it changes.
func writePlugins(podRange string) error {
	if podRange == "" {
		return nil
	}
	wanted := []byte(fmt.Sprintf(pluginsFormat, podRange))
	if found, err := os.ReadFile(pluginsFile); err == nil && bytes.Equal(found, wanted) {
		return nil
	}
	log.Printf("pods of this node get addresses of %s", podRange)
	unfinished := filepath.Join(filepath.Dir(pluginsFile), ".unfinished")
	if err := os.WriteFile(unfinished, wanted, 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, pluginsFile)
}

// setRoutes takes the range of each node and its address, and removes the routes to nodes that are no more.
func setRoutes(wanted map[string]net.IP) error {
	origin := &netlink.Route{Protocol: routeOrigin}
	found, err := netlink.RouteListFiltered(netlink.FAMILY_V4, origin, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return err
	}
	present := map[string]net.IP{}
	for _, route := range found {
		if _, isWanted := wanted[route.Dst.String()]; isWanted {
			present[route.Dst.String()] = route.Gw
			continue
		}
		log.Printf("no route to %s any more", route.Dst)
		if err := netlink.RouteDel(&route); err != nil {
			return err
		}
	}
	for podRange, address := range wanted {
		if address.Equal(present[podRange]) {
			continue
		}
		_, destination, err := net.ParseCIDR(podRange)
		if err != nil {
			return err
		}
		log.Printf("route to %s by %s", destination, address)
		route := netlink.Route{Dst: destination, Gw: address, Protocol: routeOrigin}
		if err := netlink.RouteReplace(&route); err != nil {
			return fmt.Errorf("route to %s by %s: %w", destination, address, err)
		}
	}
	return nil
}

func (n *network) masquerade() error {
	pods := n.pods.String()
	return ensureRule("nat", "POSTROUTING", "--source", pods, "!", "--destination", pods, "--jump", "MASQUERADE")
}

func addressOf(node *v1.Node) net.IP {
	for _, address := range node.Status.Addresses {
		if address.Type == v1.NodeInternalIP {
			return net.ParseIP(address.Address)
		}
	}
	return nil
}
