# The same machine on VirtualBox and on VMware: `packer init .`, `packer build -only=virtualbox-iso.debian .`. What is meant
# by the variables and locals stands in debian.pkr.hcl.

source "virtualbox-iso" "debian" {
  iso_url                 = local.iso_url
  iso_checksum            = local.iso_checksum
  http_directory          = "http"
  boot_wait               = "10s"
  boot_command            = local.boot_command
  headless                = var.headless
  guest_os_type           = "Debian_64"
  memory                  = var.memory
  cpus                    = var.cpus
  disk_size               = var.disk_mb
  hard_drive_interface    = "sata"
  hard_drive_discard      = true
  guest_additions_mode    = "upload"
  guest_additions_path    = "/tmp/VBoxGuestAdditions.iso"
  virtualbox_version_file = "" # none in the machine
  output_directory        = "build/virtualbox"
  vm_name                 = "plcfarm-debian64"
  ssh_username            = "vagrant"
  ssh_password            = "vagrant"
  ssh_timeout             = "60m"
  shutdown_command        = local.shutdown_command
}

source "vmware-iso" "debian" {
  iso_url              = local.iso_url
  iso_checksum         = local.iso_checksum
  http_directory       = "http"
  boot_wait            = "10s"
  boot_command         = local.boot_command
  headless             = var.headless
  guest_os_type        = "debian12-64"
  version              = 19
  memory               = var.memory
  cpus                 = var.cpus
  disk_size            = var.disk_mb
  disk_type_id         = "0"
  network_adapter_type = "vmxnet3"
  vmx_data = {
    # So that the interface is called the same on every version of VMware.
    "ethernet0.pciSlotNumber" = "160"
  }
  output_directory = "build/vmware"
  vm_name          = "plcfarm-debian64"
  ssh_username     = "vagrant"
  ssh_password     = "vagrant"
  ssh_timeout      = "60m"
  shutdown_command = local.shutdown_command
}

build {
  sources = ["source.virtualbox-iso.debian", "source.vmware-iso.debian"]

  provisioner "shell" {
    execute_command  = local.execute_command
    environment_vars = concat(var.environment, ["PLCFARM_CHECKOUT=${var.checkout}"])
    scripts          = ["../vagrant/provision.sh", "scripts/guest.sh", "scripts/minimise.sh"]
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
}
