# What is done in it, whichever it is, and what becomes of it.

build {
  sources = [
    "source.qemu.debian",
    "source.virtualbox-iso.debian",
    "source.vmware-iso.debian",
    "source.docker.debian",
  ]

  provisioner "shell" {
    execute_command  = local.execute_command
    environment_vars = concat(var.environment, ["PLCFARM_CHECKOUT=${var.checkout}"])
    scripts          = ["../vagrant/provision.sh", "scripts/guest.sh", "scripts/minimise.sh"]
  }

  post-processor "vagrant" {
    only              = ["qemu.debian"]
    output            = "build/debian64-qemu.box"
    compression_level = 9
  }

  post-processor "vagrant" {
    only              = ["virtualbox-iso.debian"]
    output            = "build/debian64-virtualbox.box"
    compression_level = 9
  }

  post-processor "vagrant" {
    only              = ["vmware-iso.debian"]
    output            = "build/debian64-vmware.box"
    compression_level = 9
  }

  post-processor "docker-tag" {
    only       = ["docker.debian"]
    repository = "plcfarm/machine"
    tag        = [var.box_version]
  }
}
