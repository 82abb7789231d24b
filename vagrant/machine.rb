# A machine that plants run on, for each of the three providers. The Vagrantfiles beside name the distribution.
#
#   PLCFARM_BOX, PLCFARM_BOX_VERSION, PLCFARM_BOX_URL   another box than the one below
#   PLCFARM_MEMORY (2048 MB), PLCFARM_CPUS (2)          how large it is
#   PLCFARM_ADDRESS (192.168.56.10)                     where it is, on a network of the host's and its own, a /24

# Whether `make add-...` (or anybody) has added box `name` for `provider` on this host.
def plcfarm_added?(name, provider)
  home = ENV["VAGRANT_HOME"] || File.join(Dir.home, ".vagrant.d")
  folder = File.join(home, "boxes", name.gsub("/", "-VAGRANTSLASH-"))
  # VERSION/PROVIDER, from Vagrant 2.4 on VERSION/ARCHITECTURE/PROVIDER
  !Dir.glob([File.join(folder, "*", provider), File.join(folder, "*", "*", provider)]).empty?
end

# One's own box is preferred to a public one. `public_boxes` is a box for each provider.
def plcfarm_box(provider, own_box, public_boxes)
  return ENV["PLCFARM_BOX"] if ENV["PLCFARM_BOX"]
  plcfarm_added?(own_box, provider) ? own_box : public_boxes.fetch(provider)
end

def plcfarm_machine(config, name, own_box, public_boxes)
  memory = Integer(ENV.fetch("PLCFARM_MEMORY", "2048"))
  cpus = Integer(ENV.fetch("PLCFARM_CPUS", "2"))
  address = ENV.fetch("PLCFARM_ADDRESS", "192.168.56.10")
  network = address.sub(/\.\d+\z/, ".0/24")

  config.vm.box = plcfarm_box("virtualbox", own_box, public_boxes)
  config.vm.box_version = ENV["PLCFARM_BOX_VERSION"] if ENV["PLCFARM_BOX_VERSION"]
  config.vm.box_url = ENV["PLCFARM_BOX_URL"] if ENV["PLCFARM_BOX_URL"]
  config.vm.hostname = "plcfarm-#{name}"
  config.vm.network "private_network", ip: address
  config.vm.synced_folder ".", "/vagrant", disabled: true
  config.vm.synced_folder "../..", "/src/plcfarm"

  config.vm.provider "virtualbox" do |machine, override|
    override.vm.box = plcfarm_box("virtualbox", own_box, public_boxes)
    machine.name = "plcfarm-#{name}"
    machine.memory = memory
    machine.cpus = cpus
  end
  config.vm.provider "vmware_desktop" do |machine, override|
    override.vm.box = plcfarm_box("vmware_desktop", own_box, public_boxes)
    machine.vmx["memsize"] = memory.to_s
    machine.vmx["numvcpus"] = cpus.to_s
  end
  config.vm.provider "libvirt" do |machine, override|
    override.vm.box = plcfarm_box("libvirt", own_box, public_boxes)
    # Its own ways to share a folder want a server on the host, or memory of a certain kind.
    override.vm.synced_folder "../..", "/src/plcfarm", type: "rsync", rsync__exclude: [".git/", ".venv*/", "build/"]
    machine.memory = memory
    machine.cpus = cpus
  end

  config.vm.provision "shell", path: "../provision.sh", args: ["/src/plcfarm"], env: { "PLCFARM_NETWORK" => network }
  config.vm.post_up_message = <<~TEXT
    In the machine: `sudo farm up --backend netns /src/plcfarm/topologies/plant.yaml`, or `farm up --backend docker ...`.
    The plant is at 10.64.1.1 and on. For this host to reach it:
      Linux    sudo ip route replace 10.64.0.0/10 via #{address}
      macOS    sudo route -n add -net 10.64.0.0/10 #{address}
      Windows  route add 10.64.0.0 mask 255.192.0.0 #{address}
  TEXT
end
