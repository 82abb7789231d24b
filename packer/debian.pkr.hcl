# Debian on a disk of its own, for Vagrant, from Debian's installer and the answers in http/preseed.cfg. This file is all
# that qemu needs, and Debian's own packer (1.6.6) reads it by itself: `packer build -only=qemu.debian debian.pkr.hcl`.
# With a newer packer, `packer init .` and `packer build -only=qemu.debian .`; hypervisors.pkr.hcl has the others.

variable "debian" {
  type        = string
  description = "The release whose installer is fetched; Debian keeps the newest one there."
  default     = "13.6.0"
}

variable "iso_url" {
  type        = string
  description = "The installer, if another one; of any place or file."
  default     = ""
}

variable "iso_checksum" {
  type        = string
  description = "Its checksum, as sha256:...; or file:URL, for the list of checksums that it stands in."
  default     = ""
}

variable "box_name" {
  type        = string
  description = "What the box is called on this host."
  default     = "plcfarm/debian64"
}

variable "box_version" {
  type    = string
  default = "1.0.0"
}

variable "memory" {
  type        = number
  description = "MB while it is built; a Vagrantfile gives the machine its own."
  default     = 1024
}

variable "cpus" {
  type    = number
  default = 2
}

variable "disk_mb" {
  type    = number
  default = 20480
}

variable "accelerator" {
  type        = string
  description = "Of qemu: kvm, tcg, hvf, whpx."
  default     = "kvm"
}

variable "headless" {
  type    = bool
  default = true
}

variable "docker_base" {
  type        = string
  description = "An image of Debian with apt, for the docker builder, which tries the scripts without a machine."
  default     = "debian:trixie-slim"
}

variable "docker_volumes" {
  type        = map(string)
  description = "What of this host that container is shown."
  default     = {}
}

variable "checkout" {
  type        = string
  description = "Where a checkout is in the machine, if there is one: then the farm is in the box."
  default     = "/src/plcfarm"
}

variable "environment" {
  type        = list(string)
  description = "Of the scripts, as NAME=VALUE; a proxy, say."
  default     = []
}

locals {
  site         = "https://cdimage.debian.org/debian-cd/${var.debian}/amd64/iso-cd"
  iso_url      = var.iso_url != "" ? var.iso_url : "${local.site}/debian-${var.debian}-amd64-netinst.iso"
  iso_checksum = var.iso_checksum != "" ? var.iso_checksum : "file:${local.site}/SHA256SUMS"

  # At the installer's boot menu: away from the menu, and the answers by HTTP.
  boot_command = [
    "<esc><wait>",
    "auto priority=critical preseed/url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg ",
    "netcfg/get_hostname=plcfarm netcfg/get_domain=localdomain<enter>",
  ]
  shutdown_command = "sudo shutdown -P now"

  # Root already in a container, user vagrant with sudo in a machine.
  execute_command = "chmod +x {{ .Path }}; if [ $(id -u) = 0 ]; then env {{ .Vars }} {{ .Path }}; else sudo env {{ .Vars }} {{ .Path }}; fi"
}

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
  changes     = ["LABEL plcfarm.image=machine", "CMD [\"bash\"]"]
}

build {
  sources = ["source.qemu.debian", "source.docker.debian"]

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

  post-processor "docker-tag" {
    only       = ["docker.debian"]
    repository = "plcfarm/machine"
    tag        = [var.box_version]
  }
}
