# Where Debian is installed: a machine of each hypervisor, and a container, in which the scripts alone are tried.

source "qemu" "debian" {
  iso_url          = local.iso_url
  iso_checksum     = local.iso_checksum
  http_directory   = "http"
  boot_wait        = "10s"
  boot_command     = local.boot_command
  accelerator      = var.accelerator
  headless         = var.headless
  memory           = var.memory
  cpus             = var.cpus
  disk_size        = "${var.disk_mb}M"
  disk_interface   = "virtio"
  disk_discard     = "unmap"
  net_device       = "virtio-net"
  format           = "qcow2"
  output_directory = "build/qemu"
  vm_name          = "plcfarm-debian64"
  ssh_username     = "vagrant"
  ssh_password     = "vagrant"
  ssh_timeout      = "60m"
  shutdown_command = local.shutdown_command
}

source "docker" "debian" {
  image       = var.docker_base
  pull        = false
  commit      = true
  run_command = ["-d", "-i", "-t", "--network=host", "--entrypoint=/bin/sh", "--", "{{ .Image }}"]
  volumes     = var.docker_volumes
  changes     = ["LABEL plcfarm.image=machine", "ENTRYPOINT []", "CMD [\"bash\"]"]
}

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
